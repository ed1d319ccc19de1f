// Keys on the wall: j and k move through components, Enter opens one; groups that somebody opened or closed stay so.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const components = () => [...document.querySelectorAll("[data-component]")].filter((row) => row.checkVisibility());
  const current = () => one("[data-component].is-current");
  const chosen = new Map();
  let kept = null;

  function mark(next) {
    current()?.classList.remove("is-current");
    next?.classList.add("is-current");
  }

  function move(step) {
    const list = components();
    if (!list.length) return;
    const at = list.indexOf(current());
    const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + step, 0), list.length - 1)];
    mark(next);
    next.scrollIntoView({ block: "nearest" });
    one("[data-open]", next)?.focus({ preventScroll: true });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      move(event.key === "j" ? 1 : -1);
    } else if (event.key === "Enter" && current() && event.target === document.body) {
      one("[data-open]", current())?.click();
    }
  });
  document.addEventListener(
    "click",
    (event) => {
      const group = event.target.closest?.("details[data-keep] > summary")?.parentElement;
      if (group) chosen.set(group.id, !group.open);
    },
    true,
  );
  document.addEventListener("htmx:beforeSwap", () => {
    kept = current()?.dataset.component ?? null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const group of document.querySelectorAll("details[data-keep]")) {
      if (chosen.has(group.id)) group.open = chosen.get(group.id);
    }
    if (kept !== null) mark(components().find((row) => row.dataset.component === kept));
  });
})();
