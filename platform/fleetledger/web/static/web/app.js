// What every page does in the browser: theme, copying, keys, refresh, freshness, local times.
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  function toast(text) {
    const box = document.createElement("div");
    box.className = "toast";
    box.textContent = text;
    one("#toasts")?.append(box);
    setTimeout(() => box.remove(), 3200);
  }

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function toggleTheme() {
    root.dataset.theme = isDark() ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    document.dispatchEvent(new CustomEvent("theme-changed"));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (!root.dataset.theme) document.dispatchEvent(new CustomEvent("theme-changed"));
  });

  // The clipboard is only there on https and localhost: elsewhere a hidden field is copied from.
  async function copy(text, said) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "sr-only";
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    toast(said);
  }

  // A copied link says instants, so that the reader of tomorrow sees the view of today.
  function linkToView() {
    const url = new URL(location.href);
    const fixed = one("[data-period-fixed]")?.dataset.periodFixed;
    if (fixed) new URLSearchParams(fixed).forEach((value, name) => url.searchParams.set(name, value));
    return url.href;
  }

  function showLocalTimes(from) {
    const zone = root.dataset.timeZone;
    const options = { dateStyle: "medium", timeStyle: "medium" };
    if (zone && zone !== "UTC") options.timeZone = zone;
    for (const time of all("time[datetime]", from)) {
      if (time.dataset.local) continue;
      const utc = `${time.dateTime.replace("T", " ").replace("Z", "")} UTC`;
      const local = new Intl.DateTimeFormat(undefined, options).format(new Date(time.dateTime));
      time.title = `${utc}\n${local} ${options.timeZone ?? "your time"}`;
      time.dataset.local = "1";
    }
  }

  async function showFreshness() {
    const box = one("[data-freshness]");
    if (!box || document.hidden) return;
    try {
      const answer = await fetch(box.dataset.freshness, { headers: { Accept: "application/json" } });
      if (!answer.ok || !answer.headers.get("Content-Type")?.includes("json")) return;
      const { text, tone } = await answer.json();
      box.replaceChildren(Object.assign(document.createElement("span"), { className: `dot dot-${tone}` }), text);
    } catch {
      box.replaceChildren(
        Object.assign(document.createElement("span"), { className: "dot dot-bad" }),
        "The server does not answer",
      );
    }
  }

  function refreshNow() {
    if (!window.htmx || document.hidden || one("dialog[open], .menu[open]")) return;
    if (all(".content input").includes(document.activeElement)) return;
    htmx.ajax("GET", location.href, { target: "#content", select: "#content", swap: "outerHTML" });
  }

  let sinceRefresh = 0;
  setInterval(() => {
    if (document.hidden) return;
    sinceRefresh += 1;
    if (sinceRefresh % 30 === 0) showFreshness();
    const every = Number(one("[data-refresh]")?.dataset.refresh ?? 0);
    if (every && sinceRefresh >= every) {
      sinceRefresh = 0;
      refreshNow();
    }
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) showFreshness();
  });

  function go(key) {
    const path = { o: "/", t: "/teams/", f: "/fleet/", c: "/chargeback/", s: "/sources/", a: "/alerts/" }[key];
    if (path) location.assign(path);
  }

  let afterG = 0;
  const keys = {
    "/": () => one("[data-search]")?.focus(),
    "?": () => one("#keys")?.showModal(),
    d: toggleTheme,
    f: () => one("[data-filter]")?.focus(),
    l: () => copy(linkToView(), "Link copied"),
    r: refreshNow,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      all("details.menu[open], details.more[open]").forEach((menu) => (menu.open = false));
      if (typing) event.target.blur();
      return;
    }
    if (typing || one("dialog[open]")) return;
    if (event.key === "g") {
      afterG = Date.now();
      return;
    }
    if (Date.now() - afterG < 1500) {
      afterG = 0;
      go(event.key);
      return;
    }
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  document.addEventListener("click", (event) => {
    const target = event.target;
    all("details.menu[open], details.more[open]").forEach((menu) => {
      if (!menu.contains(target)) menu.open = false;
    });
    if (target.closest("[data-theme-toggle]")) toggleTheme();
    if (target.closest("[data-copy-link]")) copy(linkToView(), "Link copied");
    const copied = target.closest("[data-copy]");
    if (copied) copy(copied.dataset.copy, "Copied");
    if (target.closest("[data-print]")) print();
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-submit-on-change]")) event.target.form.requestSubmit();
  });

  document.addEventListener("htmx:responseError", (event) => {
    toast(`The server answered ${event.detail.xhr.status}. What is shown is from before.`);
  });
  document.addEventListener("htmx:sendError", () => toast("The server does not answer. What is shown is from before."));
  document.addEventListener("htmx:load", (event) => showLocalTimes(event.detail.elt));

  showLocalTimes(document);
  showFreshness();
})();
