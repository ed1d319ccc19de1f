// Groups that somebody opened or closed stay so when the page refreshes itself.
(() => {
  "use strict";
  const chosen = new Map();
  document.addEventListener(
    "click",
    (event) => {
      const group = event.target.closest?.("details[data-keep] > summary")?.parentElement;
      if (group) chosen.set(group.id, !group.open);
    },
    true,
  );
  document.addEventListener("htmx:afterSwap", () => {
    for (const group of document.querySelectorAll("details[data-keep]")) {
      if (chosen.has(group.id)) group.open = chosen.get(group.id);
    }
  });
})();
