// Upgrades: a person's decision goes to the control API; then the page is fetched anew.
(() => {
  "use strict";
  let busy = false;
  const problem = (text) => { document.getElementById("problem").textContent = text; };

  const call = async (method, path, body) => {
    const answer = await fetch(`/api/v1/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20000),
    });
    if (answer.ok) return;
    const said = await answer.json().catch(() => null);
    throw new Error(said?.error?.message ?? `status ${answer.status}`);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-act]");
    if (!button || busy) return;
    busy = true;
    problem("");
    try {
      const field = document.getElementById("upgrade-name");
      if (field && !field.value.trim()) {
        field.focus();
        throw new Error("say who you are first");
      }
      if (field) await call("PUT", "labels/reviewer", { name: field.value });
      const full = button.dataset.act === "promote-full";
      const said = { reason: document.getElementById("upgrade-reason").value, ...(full ? { full } : {}) };
      const id = button.closest("[data-upgrade]").dataset.upgrade;
      await call("POST", `upgrades/${id}/${full ? "promote" : button.dataset.act}`, said);
      location.reload();
    } catch (failure) {
      problem(`Not done: ${failure.message}.`);
    } finally {
      busy = false;
    }
  });
})();
