// Lets a file be dropped on an upload form, and says while it is being sent.
(() => {
  "use strict";
  for (const form of document.querySelectorAll("[data-upload]")) {
    const box = form.querySelector("[data-drop]");
    const input = form.querySelector("input[type=file]");
    const hint = form.querySelector("[data-drop-hint]");
    const button = form.querySelector("button[type=submit]");
    const over = (event, isOver) => {
      event.preventDefault();
      box.classList.toggle("is-over", isOver);
    };
    form.addEventListener("dragover", (event) => over(event, true));
    form.addEventListener("dragleave", (event) => over(event, false));
    form.addEventListener("drop", (event) => {
      over(event, false);
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change"));
    });
    input.addEventListener("change", () => {
      hint.textContent = input.files.length ? `${(input.files[0].size / 1e6).toFixed(1)} MB` : "or drop it here";
    });
    form.addEventListener("submit", () => {
      button.disabled = true;
      hint.textContent = "Sending …";
    });
    addEventListener("pageshow", () => {
      button.disabled = false;
    });
  }
})();
