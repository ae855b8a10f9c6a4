// Fetches the page anew every few seconds and swaps <main>; scroll positions and the reader's selection stay as they are.
(() => {
  "use strict";
  const seconds = Number(document.body.dataset.refresh);
  const live = document.getElementById("live");
  if (!seconds || !live) return;
  let busy = false;

  const isReading = () => {
    const selection = document.getSelection();
    const choosing = document.activeElement?.matches("main select, main input");
    return document.hidden || choosing || (selection !== null && !selection.isCollapsed);
  };

  const swap = (next) => {
    const main = document.getElementById("main");
    const scrolled = [...main.querySelectorAll("[id]")].filter((e) => e.scrollTop > 0).map((e) => [e.id, e.scrollTop]);
    const focused = document.activeElement && main.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const unfolded = [...main.querySelectorAll("details[open][id]")].map((e) => e.id);
    const top = window.scrollY;
    main.replaceChildren(...next.childNodes);
    for (const [id, position] of scrolled) {
      const element = document.getElementById(id);
      if (element) element.scrollTop = position;
    }
    for (const id of unfolded) {
      const element = document.getElementById(id);
      if (element) element.open = true;
    }
    if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    window.scrollTo({ top, behavior: "instant" });
  };

  const refresh = async () => {
    if (busy || isReading()) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(seconds * 3000) });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (!next) throw new Error("no page");
      swap(next);
      live.dataset.state = answer.ok ? "on" : "stale";
    } catch {
      live.dataset.state = "stale";
    } finally {
      live.textContent = live.dataset.state === "on" ? "live" : "not reachable";
      busy = false;
    }
  };

  live.dataset.state = "on";
  setInterval(refresh, seconds * 1000);
})();
