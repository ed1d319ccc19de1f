// Draws the page's figures: fetches them as JSON, gives them the theme's colours, links them to the address.
(() => {
  "use strict";
  const figures = new WeakMap();
  const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false };

  // "var(--c1)" becomes the colour that the theme gives it now.
  function coloured(value, style) {
    if (typeof value === "string") {
      return value.includes("var(--")
        ? value.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim())
        : value;
    }
    if (Array.isArray(value)) {
      return value.length > 64 ? value : value.map((item) => coloured(item, style));
    }
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, style)]));
    }
    return value;
  }

  function say(box, text) {
    const message = document.createElement("p");
    message.className = "chart-message";
    message.textContent = text;
    box.replaceChildren(message);
  }

  async function load(box) {
    if (figures.has(box)) return;
    figures.set(box, null);
    try {
      const answer = await fetch(box.dataset.chart, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const figure = await answer.json();
      figures.set(box, figure);
      const foot = document.querySelector(`[data-table-for="${box.id}"]`);
      if (foot) foot.hidden = !figure.data.length;
      if (!figure.data.length) {
        say(box, figure.empty || "Nothing was measured in this range.");
        return;
      }
      box.replaceChildren();
      await draw(box, figure);
      listen(box);
    } catch {
      figures.delete(box);
      say(box, "This chart could not be loaded. Press r to try again.");
    }
  }

  function draw(box, figure) {
    const style = getComputedStyle(document.documentElement);
    const layout = coloured(figure.layout, style);
    layout.font = { ...layout.font, family: style.getPropertyValue("--font") };
    if (box.clientWidth < 480 && layout.xaxis) layout.xaxis.nticks = Math.min(layout.xaxis.nticks || 5, 5);
    return Plotly.react(box, coloured(figure.data, style), layout, CONFIG);
  }

  function listen(box) {
    box.on("plotly_relayout", (change) => {
      const from = change["xaxis.range[0]"];
      const to = change["xaxis.range[1]"];
      if (typeof from !== "string" || typeof to !== "string") return;
      const url = new URL(location.href);
      url.searchParams.set("from", instant(from, -1));
      url.searchParams.set("to", instant(to, 1));
      url.searchParams.delete("page");
      location.assign(url);
    });
    box.on("plotly_doubleclick", () => {
      if (new URL(location.href).searchParams.has("from")) history.back();
    });
    box.on("plotly_click", ({ points }) => {
      const point = points[0];
      const href = point?.customdata?.href ?? point?.data?.meta?.href;
      if (typeof href === "string" && href.startsWith("/")) location.assign(href);
    });
  }

  // Plotly writes instants without a zone; ours are UTC. Widened to 5 minutes.
  function instant(text, direction) {
    const at = Date.parse(`${text.replace(" ", "T")}${text.length > 10 ? "Z" : ""}`) / 300000;
    const whole = (direction < 0 ? Math.floor(at) : Math.ceil(at)) * 300000;
    return `${new Date(whole).toISOString().slice(0, 16)}Z`;
  }

  // The same numbers as rows: one column per series, or per hour of a heat map.
  function rowsOf(figure) {
    const shown = figure.data.filter((trace) => trace.meta?.table !== false);
    const heat = shown.find((trace) => trace.type === "heatmap");
    if (heat) return { head: ["", ...heat.x], rows: heat.z.map((line, index) => [heat.y[index], ...line]) };
    const flat = shown[0]?.orientation === "h";
    const along = flat ? "y" : "x";
    const rows = new Map();
    shown.forEach((trace, column) => {
      (trace[along] ?? []).forEach((at, index) => {
        if (!rows.has(at)) rows.set(at, Array(shown.length).fill(null));
        rows.get(at)[column] = trace[flat ? "x" : "y"][index];
      });
    });
    const title = figure.layout.meta?.rows ?? "";
    return { head: [title, ...shown.map((trace) => trace.name)], rows: [...rows].map(([at, cells]) => [at, ...cells]) };
  }

  function cell(kind, value, isFirst) {
    const box = document.createElement(kind);
    const text = typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 2 }) : value ?? "–";
    box.textContent = isFirst ? String(text).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$/, "$1 $2") : text;
    box.className = isFirst ? "nowrap" : "num right";
    return box;
  }

  function tableOf(figure) {
    const { head, rows } = rowsOf(figure);
    const table = document.createElement("table");
    table.className = "table";
    const top = table.createTHead().insertRow();
    head.forEach((value, index) => top.append(cell("th", value, index === 0)));
    const body = table.createTBody();
    if (figure.layout.xaxis?.type === "date") rows.reverse(); // the latest first
    rows.forEach((line) => {
      const row = body.insertRow();
      line.forEach((value, index) => row.append(cell("td", value, index === 0)));
    });
    const wrap = document.createElement("div");
    wrap.className = "chart-table";
    wrap.tabIndex = 0;
    wrap.append(table);
    return wrap;
  }

  function toggleTable(button) {
    const box = document.getElementById(button.dataset.tableFor);
    const figure = figures.get(box);
    if (!figure) return;
    const open = box.nextElementSibling?.classList.contains("chart-table");
    if (open) box.nextElementSibling.remove();
    else box.after(tableOf(figure));
    box.hidden = !open;
    button.setAttribute("aria-expanded", String(!open));
    button.querySelector("span").textContent = open ? "Show as table" : "Show as chart";
    if (open) Plotly.Plots.resize(box);
  }

  function start(from) {
    const boxes = [...from.querySelectorAll("[data-chart]")];
    if (from.matches?.("[data-chart]")) boxes.push(from);
    boxes.forEach(load);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-table-for]");
    if (button) toggleTable(button);
  });
  document.addEventListener("theme-changed", () => {
    document.querySelectorAll("[data-chart]").forEach((box) => {
      const figure = figures.get(box);
      if (figure?.data.length) draw(box, figure);
    });
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.target.querySelectorAll?.(".js-plotly-plot").forEach((box) => Plotly.purge(box));
  });
  document.addEventListener("htmx:load", (event) => start(event.detail.elt));
  start(document);
})();
