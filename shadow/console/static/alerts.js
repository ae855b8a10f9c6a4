// Alerts: what a person does about one goes to the control API; then the page is fetched anew.
(() => {
  "use strict";
  let busy = false;
  const problem = (text) => { const line = document.getElementById("problem"); if (line) line.textContent = text; };

  const call = async (method, path, body) => {
    const answer = await fetch(`/api/v1/${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(20000),
    });
    if (answer.ok) return;
    const said = await answer.json().catch(() => null);
    throw new Error(said?.error?.message ?? `status ${answer.status}`);
  };

  const act = async (button) => {
    const field = document.getElementById("alert-name");
    if (button.dataset.forget !== undefined) return call("DELETE", "labels/reviewer");
    if (field && !field.value.trim()) {
      field.focus();
      throw new Error("say who you are first");
    }
    if (field) await call("PUT", "labels/reviewer", { name: field.value });
    if (button.dataset.name !== undefined) return undefined;
    const id = button.closest("[data-alert]").dataset.alert;
    const what = button.dataset.act;
    const hours = what === "snooze" ? { hours: Number(document.getElementById(`snooze-${id}`).value) } : {};
    return call("POST", `alerts/${id}/${what}`, hours);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-act], button[data-name], button[data-forget]");
    if (!button || busy) return;
    busy = true;
    problem("");
    try {
      await act(button);
      location.reload();
    } catch (failure) {
      problem(`Not done: ${failure.message}.`);
    } finally {
      busy = false;
    }
  });
})();
