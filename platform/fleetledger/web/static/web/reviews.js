// Keys where people decide about findings: j and k move, Enter opens, 1 to 4 begin a verdict.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const rows = () => [...document.querySelectorAll("[data-finding]")];
  const current = () => one("[data-finding].is-current");

  function move(step) {
    const list = rows();
    if (!list.length) return;
    const at = list.indexOf(current());
    const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + step, 0), list.length - 1)];
    list.forEach((row) => row.classList.toggle("is-current", row === next));
    next.scrollIntoView({ block: "nearest" });
    one("[data-open]", next)?.focus({ preventScroll: true });
  }

  // On a finding's page the key chooses; in the queue it asks for the comment of the row under the cursor.
  function decide(key) {
    const choice = one(`input[name="verdict"][data-key="${key}"]`);
    if (choice) {
      choice.checked = true;
      one("#comment")?.focus();
      return;
    }
    const dialog = one("dialog#decide");
    const verdict = one(`[data-verdict="${key}"]`);
    if (!dialog || !verdict || !current()) return;
    const form = one("[data-decide]", dialog);
    form.action = current().dataset.finding;
    form.elements.verdict.value = verdict.dataset.value;
    one("[data-decide-title]").textContent = verdict.textContent;
    one("[data-decide-words]").textContent = current().dataset.words;
    dialog.showModal();
    form.elements.comment.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (event.target.closest('input:not([type="radio"]), textarea, select, [contenteditable]')) return;
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      move(event.key === "j" ? 1 : -1);
    } else if ("1234".includes(event.key)) {
      event.preventDefault();
      decide(event.key);
    } else if (event.key === "Enter" && current() && event.target === document.body) {
      one("[data-open]", current())?.click();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-decide-close]")) one("dialog#decide").close();
  });
})();
