/* One dashboard: its widgets on the grid of 24 columns, below each other where there is no room. */

import { element, markup, table } from "./dom.js";
import { bars, gauges, numbers, summary, values } from "./figures.js";
import { never, soon } from "./frames.js";
import { graph } from "./graph.js";
import { STATES, ago, instant } from "./words.js";

const DRAWN = { singleValue: numbers, gauge: gauges, bar: bars, table: summary };

export function alarmMark(alarm, now) {
  const state = STATES[alarm.state] ?? STATES.INSUFFICIENT_DATA;
  const since = alarm.since === null ? "" : ` for ${ago(now - alarm.since)}`;
  return element(
    "li",
    {},
    element("a", { class: `state ${state.tone}`, href: `#/alarms/${alarm.short}`, title: alarm.reason ?? "" }, element("span", { "aria-hidden": "true" }, state.mark), ` ${alarm.short} `, element("small", {}, state.word + since)),
  );
}

function notRendered(why) {
  return element("p", { class: "refused" }, element("b", {}, "not rendered: "), why);
}

/* Ids in log lines lead to what they are ids of. */
const LEADS = { connection_id: "connections", correlation_id: "connections", connectionId: "connections", broadcast_id: "broadcasts", broadcastId: "broadcasts", user_id: "people", userId: "people" };

function linked(columns, row) {
  return row.map((cell, n) => (cell && LEADS[columns[n]] ? element("a", { href: `#/${LEADS[columns[n]]}/${encodeURIComponent(cell)}` }, cell) : cell));
}

function frame(widget) {
  const card = element("section", { class: `widget ${widget.kind}${widget.plain ? " plain" : ""}`, "data-kind": widget.kind, "data-view": widget.view ?? null });
  card.style.gridColumn = `${widget.x + 1} / span ${widget.width}`;
  card.style.gridRow = `${widget.y + 1} / span ${widget.height}`;
  card.style.setProperty("--rows", widget.height);
  if (widget.title) card.append(element("h2", {}, widget.title));
  return card;
}

/* What a log query found; where there were too many lines, since when all are counted. */
function lines(widget, now) {
  const found = widget.rows.length ? table(widget.title, widget.columns, widget.rows.map((row) => linked(widget.columns, row))) : element("p", { class: "muted" }, "no such lines in this range");
  if (!widget.since) return found;
  return element("div", {}, element("p", { class: "muted" }, `only of the lines since ${instant(widget.since, now - widget.since)}: there are very many`), found);
}

/* A widget that keeps its graph from one refresh to the next. */
function widgetView(widget, now) {
  const card = frame(widget);
  const body = element("div", { class: "body" });
  card.append(body);
  let chart = null;

  const series = (next) => {
    if (!chart) {
      body.replaceChildren();
      chart = graph(body, next);
      const shown = element("div", { hidden: true });
      const toggle = element("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-label": `${next.title} as a table` }, "table");
      toggle.addEventListener("click", () => {
        shown.hidden = !shown.hidden;
        toggle.setAttribute("aria-expanded", String(!shown.hidden));
        card.classList.toggle("open", !shown.hidden);
        if (!shown.hidden) shown.replaceChildren(values(card.widget));
      });
      card.querySelector("h2")?.append(" ", toggle);
      card.append(shown);
    }
    card.widget = next;
    soon(chart, () => chart.draw(next));
  };

  const draw = (next, at) => {
    if (next.kind === "metric" && !next.problem && next.view === "timeSeries") return series(next);
    const made = {
      metric: () => (next.problem ? notRendered(next.problem) : DRAWN[next.view]?.(next) ?? notRendered(`a graph of view ${next.view}`)),
      text: () => markup(next.html),
      alarm: () => (next.alarms.length ? element("ul", { class: "alarms" }, ...next.alarms.map((alarm) => alarmMark(alarm, at))) : element("p", { class: "muted" }, "none of these now")),
      log: () => (next.problem ? notRendered(next.problem) : lines(next, at)),
      refused: () => notRendered(next.why),
    }[next.kind];
    body.replaceChildren(made ? made() : notRendered(`a widget of kind ${next.kind}`));
  };

  draw(widget, now);
  const end = () => {
    never(chart);
    chart?.end();
  };
  return { card, draw, end };
}

export function dashboard(view, page) {
  let shown = [];
  const grid = element("div", { class: "grid" });
  const titled = page.widgets.some((widget) => widget.kind === "text" && widget.html.startsWith("<h1>"));
  view.replaceChildren(...(titled ? [] : [element("h1", {}, page.title)]), grid);

  const draw = (next) => {
    const same = shown.length === next.widgets.length && shown.every((one, n) => one.kind === next.widgets[n].kind && one.title === next.widgets[n].title && one.problem === Boolean(next.widgets[n].problem));
    if (same) {
      next.widgets.forEach((widget, n) => shown[n].view.draw(widget, next.now));
      return;
    }
    shown.forEach((one) => one.view.end());
    shown = next.widgets.map((widget) => ({ kind: widget.kind, title: widget.title, problem: Boolean(widget.problem), view: widgetView(widget, next.now) }));
    const problems = next.problems.map((why) => notRendered(why));
    grid.replaceChildren(...problems, ...shown.map((one) => one.view.card));
  };
  draw(page);
  return { draw, end: () => shown.forEach((one) => one.view.end()) };
}
