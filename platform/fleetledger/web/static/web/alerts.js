// Keys and choosing on the pages about alerts; what was chosen outlives a refresh.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const rows = () => all("[data-alert]");
  const current = () => one("[data-alert].is-current");
  const chosen = () => all('[data-alert] input[name="alert"]:checked');
  let kept = { current: null, chosen: new Set() };

  function show() {
    const boxes = all('[data-alert] input[name="alert"]');
    boxes.forEach((box) => box.closest("tr").classList.toggle("is-chosen", box.checked));
    const count = boxes.filter((box) => box.checked).length;
    const bulk = one("[data-bulk]");
    if (bulk) {
      bulk.hidden = count === 0;
      one("[data-bulk-count]").textContent = `${count} chosen`;
    }
    const every = one("[data-all]");
    if (every) {
      every.checked = count > 0 && count === boxes.length;
      every.indeterminate = count > 0 && count < boxes.length;
    }
  }

  function move(step) {
    const list = rows();
    if (!list.length) return;
    const at = list.indexOf(current());
    const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + step, 0), list.length - 1)];
    list.forEach((row) => row.classList.toggle("is-current", row === next));
    next.scrollIntoView({ block: "nearest" });
    one("[data-open]", next)?.focus({ preventScroll: true });
  }

  // Acts on what is chosen, else on the row of the cursor.
  function act(action) {
    const form = one("[data-acts]");
    const button = one(`[data-bulk] [value="${action}"]`);
    if (!form || !button) return;
    if (!chosen().length) {
      const box = current() && one('input[name="alert"]', current());
      if (!box) return;
      box.checked = true;
    }
    form.requestSubmit(button);
  }

  function choose() {
    const box = current() && one('input[name="alert"]', current());
    if (!box) return;
    box.checked = !box.checked;
    show();
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: choose,
    a: () => (one("[data-acknowledge]") ? one("[data-acknowledge]").click() : act("acknowledge")),
    s: () => (one("[data-silence]") ? one("[data-silence]").click() : act("silence")),
  };
  let afterG = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    const typing = event.target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable]');
    if (typing) return;
    if (event.key === "g") {
      afterG = Date.now();
      return;
    }
    if (Date.now() - afterG < 1500) {
      afterG = 0;
      return;
    }
    if (event.key === "Enter" && current() && event.target === document.body) {
      one("[data-open]", current())?.click();
      return;
    }
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      all('[data-alert] input[name="alert"]').forEach((box) => (box.checked = event.target.checked));
    }
    if (event.target.matches('[data-all], input[name="alert"]')) show();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-bulk-clear]")) return;
    chosen().forEach((box) => (box.checked = false));
    show();
  });

  document.addEventListener("htmx:beforeSwap", () => {
    kept = { current: current()?.dataset.alert ?? null, chosen: new Set(chosen().map((box) => box.value)) };
  });
  document.addEventListener("htmx:afterSettle", () => {
    rows().forEach((row) => {
      row.classList.toggle("is-current", row.dataset.alert === kept.current);
      const box = one('input[name="alert"]', row);
      if (box) box.checked = kept.chosen.has(box.value);
    });
    show();
  });
  addEventListener("pageshow", show);
  show();
})();
