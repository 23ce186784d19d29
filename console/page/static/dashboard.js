/* One dashboard: its widgets on the grid of 24 columns, below each other where there is no room. */

import { ask, become, element, markup, table } from "./dom.js";
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
    { "data-key": alarm.name },
    element("a", { class: `state ${state.tone}`, href: `#/alarms/${alarm.short}`, title: alarm.reason ?? "" }, element("span", { "aria-hidden": "true" }, state.mark), ` ${alarm.short} `, element("small", {}, state.word + since)),
  );
}

function notRendered(why) {
  return element("p", { class: "refused" }, element("b", {}, "not rendered: "), why);
}

/* Ids in log lines lead to what they are ids of. */
const LEADS = { connection_id: "connections", correlation_id: "connections", connectionId: "connections", broadcast_id: "broadcasts", broadcastId: "broadcasts", user_id: "people", userId: "people" };

/* When a line was, or else from when to when all of them were: there the life of a connection is looked for. */
function about(columns, row, widget) {
  const at = Date.parse(String(row[columns.indexOf("@timestamp")]).replace(" ", "T")) / 1000;
  const [from, to] = at ? [Math.floor(at), Math.ceil(at)] : [widget.start, widget.end];
  return `?from=${from}&to=${to}`;
}

function linked(widget, row) {
  return row.map((cell, n) => {
    const leads = LEADS[widget.columns[n]];
    const when = leads === "connections" ? about(widget.columns, row, widget) : "";
    return cell && leads ? element("a", { href: `#/${leads}/${encodeURIComponent(cell)}${when}` }, cell) : cell;
  });
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
  const found = widget.rows.length ? table(widget.title, widget.columns, widget.rows.map((row) => linked(widget, row))) : element("p", { class: "muted" }, "no such lines in this range");
  if (!widget.since) return found;
  return element("div", {}, element("p", { class: "muted" }, `only of the lines since ${instant(widget.since, now - widget.since)}: there are very many`), found);
}

function alarms(widget, now) {
  if (widget.problem) return [notRendered(widget.problem)];
  const marks = widget.alarms.map((alarm) => alarmMark(alarm, now));
  const shown = marks.length ? element("ul", { class: "alarms" }, ...marks) : null;
  const none = shown || widget.refused.length ? null : element("p", { class: "muted" }, "none of these now");
  return [shown, none, ...widget.refused.map((why) => notRendered(why))];
}

function figures(widget) {
  return widget.problem ? notRendered(widget.problem) : DRAWN[widget.view]?.(widget) ?? notRendered(`a graph of view ${widget.view}`);
}

const isGraph = (widget) => widget.kind === "metric" && !widget.problem && widget.view === "timeSeries";

/* What stands in a widget that is no graph. */
function content(widget, now) {
  const made = {
    metric: () => figures(widget),
    text: () => markup(widget.html),
    alarm: () => alarms(widget, now),
    log: () => (widget.problem ? notRendered(widget.problem) : lines(widget, now)),
    refused: () => notRendered(widget.why),
  }[widget.kind];
  return [made ? made() : notRendered(`a widget of kind ${widget.kind}`)].flat();
}

/* A graph in a card, and on demand the same as a table. */
function graphView(card, body, title) {
  const chart = graph(body);
  const beside = element("div", { hidden: true });
  const toggle = element("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-label": `${title} as a table` }, "table");
  let shown = null;
  const fill = () => beside.hidden || become(beside, values(shown));
  toggle.addEventListener("click", () => {
    beside.hidden = !beside.hidden;
    toggle.setAttribute("aria-expanded", String(!beside.hidden));
    card.classList.toggle("open", !beside.hidden);
    fill();
  });
  card.querySelector("h2")?.append(" ", toggle);
  card.append(beside);
  return {
    draw: (next) => { shown = next; soon(chart, () => { chart.draw(next); fill(); }); },
    end: () => { never(chart); chart.end(); toggle.remove(); beside.remove(); card.classList.remove("open"); body.replaceChildren(); },
  };
}

/* Lines of logs may take long, so they are asked for when all else is seen. What was found stays meanwhile, but
   not that of another range; a question that is still open is not put again. */
function logView(body) {
  let open = "";
  let last = "";
  return async (widget, address, now) => {
    if (open === address) return;
    if (last !== address) become(body, element("p", { class: "muted" }, "reading the logs …"));
    open = last = address;
    body.setAttribute("aria-busy", "true");
    const found = await ask(address).catch((error) => ({ ...widget, problem: error.message }));
    if (open !== address) return;
    open = "";
    body.removeAttribute("aria-busy");
    become(body, ...content(found, now));
  };
}

/* A widget that keeps what it shows from one refresh to the next, but for what has changed. */
function widgetView(widget) {
  const card = frame(widget);
  const body = element("div", { class: "body" });
  card.append(body);
  const log = logView(body);
  let chart = null;

  const end = () => {
    chart?.end();
    chart = null;
  };

  const draw = (next, now, address) => {
    if (isGraph(next)) {
      chart ??= graphView(card, cleared(body), next.title);
      chart.draw(next);
      return;
    }
    end();
    if (next.waiting) log(next, address, now);
    else become(body, ...content(next, now));
  };
  return { card, draw, end };
}

function cleared(body) {
  body.replaceChildren();
  return body;
}

/* What a card cannot change while it stands. */
const stands = (widget) => [widget.kind, widget.title, widget.view, widget.plain, widget.x, widget.y, widget.width, widget.height].join();

/* *addressOf* says where the lines of a log widget are asked for, by its number; a page that has them all needs none. */
export function dashboard(view, page, addressOf = () => "") {
  let shown = [];
  const notes = element("div");
  const grid = element("div", { class: "grid" });
  const titled = page.widgets.some((widget) => widget.kind === "text" && widget.html.startsWith("<h1>"));
  view.replaceChildren(...(titled ? [] : [element("h1", {}, page.title)]), notes, grid);
  const end = () => shown.forEach((one) => one.view.end());

  const draw = (next, address = () => "") => {
    become(notes, ...next.problems.map((why) => notRendered(why)));
    if (shown.map((one) => one.stands).join() !== next.widgets.map(stands).join()) {
      end();
      shown = next.widgets.map((widget) => ({ stands: stands(widget), view: widgetView(widget) }));
      grid.replaceChildren(...shown.map((one) => one.view.card));
    }
    next.widgets.forEach((widget, n) => shown[n].view.draw(widget, next.now, address(n)));
  };
  draw(page, addressOf);
  return { draw, end };
}
