/* Alarms, broadcasts and people. */

import { alarmMark } from "./dashboard.js";
import { become, element, markup, table } from "./dom.js";
import { NONE, STATES, ago, moment, number } from "./words.js";

const link = (href, text) => element("a", { href }, text);
const ORDER = { ALARM: 0, INSUFFICIENT_DATA: 1, OK: 2 };
const SEVERITY = { page: "wakes somebody", ticket: "opens a ticket", none: "tells nobody" };

export function alarmList(view, told, now) {
  const sorted = [...told.alarms].sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.short.localeCompare(b.short));
  const count = (state) => told.alarms.filter((alarm) => alarm.state === state).length;
  const rows = sorted.map((alarm) => {
    const state = STATES[alarm.state];
    return [
      link(`#/alarms/${alarm.short}`, alarm.short),
      element("span", { class: `state ${state.tone}` }, `${state.mark} ${state.word}`),
      alarm.since === null ? NONE : ago(now - alarm.since),
      SEVERITY[alarm.severity],
      alarm.meaning,
    ];
  });
  become(
    view,
    element("h1", {}, "Alarms"),
    element("p", { class: "lead" }, `${count("ALARM")} in alarm, ${count("OK")} ok, ${count("INSUFFICIENT_DATA")} without data`),
    rows.length ? table("Alarms", ["Alarm", "State", "For", "Who is told", "Meaning"], rows) : element("p", {}, "This stack has no alarms."),
  );
}

export function alarm(view, told, now) {
  const history = told.history.map((one) => [moment(one.at), STATES[one.before]?.word ?? NONE, STATES[one.after]?.word ?? NONE, one.reason]);
  become(
    view,
    element("h1", {}, told.short),
    element("ul", { class: "alarms" }, alarmMark(told, now)),
    element("p", {}, told.reason),
    element("div", { class: "prose" }, markup(told.description)),
    element("p", { class: "muted" }, `${SEVERITY[told.severity]}. It watches: `, element("code", {}, told.rule)),
    element("h2", {}, "What it went through"),
    told.historyProblem ? element("p", { class: "refused" }, element("b", {}, "not shown: "), told.historyProblem) : history.length ? table("State history", ["When", "From", "To", "Why"], history) : element("p", { class: "muted" }, "It has not changed its state."),
    element("h2", {}, "Runbook"),
    told.runbook ? element("article", { class: "prose" }, markup(told.runbook)) : element("p", { class: "muted" }, "It has none: look at the alarm that is composed of it."),
  );
}

export function broadcastList(view, told) {
  const rows = told.broadcasts.map((one) => [
    link(`#/broadcasts/${encodeURIComponent(one.id)}`, one.id),
    one.team ?? NONE,
    moment(one.requestedAtMs / 1000),
    one.status,
    number(one.targeted),
    number(one.accepted),
    number(one.gone),
    number(one.lost),
    number(one.pending),
    one.successRate === null ? NONE : `${number(100 * one.successRate)} %`,
  ]);
  become(
    view,
    element("h1", {}, "Broadcasts"),
    rows.length
      ? table("Broadcasts, the newest first", ["Broadcast", "Team", "Asked for", "Status", "Targeted", "Accepted", "Gone", "Lost", "Pending", "Success so far"], rows)
      : element("p", {}, "No broadcast of today or yesterday is remembered, and none is open."),
  );
}

function fact(name, value) {
  if (name === "userId" && value) return link(`#/people/${encodeURIComponent(value)}`, value);
  return value !== null && typeof value === "object" ? element("code", {}, JSON.stringify(value)) : String(value ?? NONE);
}

function facts(title, document) {
  const rows = Object.entries(document).map(([name, value]) => [name, fact(name, value)]);
  return table(title, ["Name", "Value"], rows);
}

export function broadcast(view, told) {
  const frame = element("iframe", { class: "report", title: "Delivery report", src: `/api/broadcasts/${encodeURIComponent(told.report.broadcast_id)}/report.html`, sandbox: "" });
  become(
    view,
    element("h1", {}, `Broadcast ${told.report.broadcast_id}`),
    frame,
    element("details", {}, element("summary", {}, "All that the report says"), facts("The report", told.report)),
  );
}

export function people(view, go) {
  const user = element("input", { id: "user", required: true, maxlength: "256", autocomplete: "off" });
  const connection = element("input", { id: "connection", required: true, maxlength: "256", autocomplete: "off" });
  const form = (label, input, where) =>
    element("form", { onsubmit: (event) => { event.preventDefault(); go(`${where}${encodeURIComponent(input.value.trim())}`); } }, element("label", { for: input.id }, label), input, element("button", { type: "submit" }, "Look up"));
  view.replaceChildren(
    element("h1", {}, "People"),
    element("p", { class: "lead" }, "Who is connected, and what became of one connection."),
    form("User", user, "#/people/"),
    form("Connection id", connection, "#/connections/"),
  );
}

export function user(view, told) {
  const rows = told.connections.map((one) => [
    link(`#/connections/${encodeURIComponent(one.connectionId)}`, one.connectionId),
    one.state,
    one.connectedAtMs === null ? NONE : moment(one.connectedAtMs / 1000),
    one.platform || NONE,
  ]);
  become(
    view,
    element("h1", {}, `Connections of ${told.user}`),
    rows.length ? table("Open connections", ["Connection", "State", "Since", "Platform"], rows) : element("p", {}, "No open connection is registered for this user."),
  );
}

const HELD = {
  open: "The registry holds it as open.",
  closed: "The registry holds it as closed.",
  expired: "The registry counts it no more: nobody closed it before its row ran out, and DynamoDB deletes such rows days late.",
};
const UNHELD = "The registry holds no row of it: a closed row is forgotten after an hour.";

export function life(view, told) {
  const rows = told.life.map((one) => [moment(one.atMs / 1000), one.what, one.detail, one.source]);
  const read = `The logs were read from ${moment(told.logs.start)} to ${moment(told.logs.end)}.`;
  become(
    view,
    element("h1", {}, `Connection ${told.connectionId}`),
    element("p", { class: "lead" }, HELD[told.state] ?? UNHELD),
    element("h2", {}, "Its life"),
    rows.length ? table("Life of the connection", ["When", "What", "Details", "From"], rows) : element("p", { class: "muted" }, "Nobody remembers anything of it."),
    element("p", { class: "muted" }, read),
    ...told.unread.map((why) => element("p", { class: "refused" }, element("b", {}, "not read: "), why)),
    element("h2", {}, "Its row"),
    facts("Registry row", told.row),
  );
}
