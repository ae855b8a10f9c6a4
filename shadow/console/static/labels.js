// Labelling: choices by mouse or key, saved through the control API; then the next item takes the place of the last one.
(() => {
  "use strict";
  let busy = false;
  const at = (id) => document.getElementById(id);
  const problem = (text) => { const line = at("problem"); if (line) line.textContent = text; };

  const call = async (method, path, body) => {
    const answer = await fetch(`/api/v1/labels/${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(20000),
    });
    const said = answer.status === 204 ? null : await answer.json();
    if (!answer.ok) throw new Error(said?.error?.message ?? `status ${answer.status}`);
    return said;
  };

  const show = async (item) => {
    const answer = await fetch(item ? `/labels?item=${encodeURIComponent(item)}` : "/labels", { cache: "no-store" });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (!next) throw new Error("the console did not answer with a page");
    at("main").replaceChildren(...next.childNodes);
    window.scrollTo({ top: 0, behavior: "instant" });
    ready();
  };

  const guarded = async (work) => {
    if (busy) return;
    busy = true;
    problem("");
    try {
      await work();
    } catch (failure) {
      problem(`Not done: ${failure.message}. Nothing is lost; try again.`);
    } finally {
      busy = false;
    }
  };

  const answers = () => [...document.querySelectorAll(".to-label")];
  const chosen = (answer) => answer.querySelector('[aria-checked="true"]');

  const choose = (button) => {
    const answer = button.closest(".to-label");
    for (const other of answer.querySelectorAll("[data-say]")) other.setAttribute("aria-checked", String(other === button));
    answer.querySelector(".reason").hidden = button.dataset.say !== "skip";
    at("save").disabled = !answers().every(chosen);
  };

  const save = () => {
    const item = at("item");
    if (!item || at("save").disabled) return;
    const words = answers().map((answer) => {
      const say = chosen(answer).dataset.say;
      const which = answer.dataset.which;
      return say === "skip" ? { which, label: null, reason: answer.querySelector("select").value } : { which, label: Number(say) };
    });
    guarded(async () => {
      await call("POST", `items/${item.dataset.item}`, { answers: words });
      await show();
    });
  };

  const undo = () => {
    if (at("undo")?.disabled) return;
    guarded(async () => {
      const { item_id: item } = await call("DELETE", "last");
      await show(item);
      if (!item) problem("There is nothing of the last hour to take back.");
    });
  };

  const start = () => guarded(async () => {
    await call("PUT", "reviewer", { name: at("reviewer-name").value });
    location.assign("/labels");
  });

  const ready = () => {
    for (const button of document.querySelectorAll("[data-say]")) button.addEventListener("click", () => choose(button));
    at("save")?.addEventListener("click", save);
    at("undo")?.addEventListener("click", undo);
    at("name-save")?.addEventListener("click", start);
    at("change-name")?.addEventListener("click", () => guarded(async () => {
      await call("DELETE", "reviewer");
      location.assign("/labels");
    }));
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.id === "reviewer-name") {
      if (event.key === "Enter") start();
      return;
    }
    if (event.target.matches("input, select, textarea, summary, a, button:not(.choice)")) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.code.replace(/^(Digit|Numpad)/, ""))}"]`);
    if (button) {
      event.preventDefault();
      choose(button);
    } else if (event.key === "Enter") {
      event.preventDefault();
      save();
    } else if (event.key === "u" || event.key === "U") {
      event.preventDefault();
      undo();
    }
  });
  ready();
})();
