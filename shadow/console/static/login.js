// Log in with a token. A link from elsewhere comes without the cookie (SameSite=Strict): whoever has one is sent on at once.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const form = at("login");
  const onward = () => location.replace(form.dataset.next || "/");
  const session = (method, body) => fetch("/api/v1/session", {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(20000),
  });

  const enter = async () => {
    at("problem").textContent = "";
    try {
      const answer = await session("POST", { token: at("token").value });
      if (answer.ok) return onward();
      at("problem").textContent = (await answer.json()).error?.message ?? `status ${answer.status}`;
    } catch (failure) {
      at("problem").textContent = `Not done: ${failure.message}.`;
    }
  };

  at("log-in").addEventListener("click", enter);
  at("token").addEventListener("keydown", (event) => { if (event.key === "Enter") enter(); });
  session("GET").then((answer) => { if (answer.ok) onward(); }).catch(() => undefined);
})();
