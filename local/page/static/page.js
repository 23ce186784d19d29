/* Shows each state that the server sends. Text reaches the page by textContent alone. */

import { clockTime, flowChart, heldChart } from "./charts.js";

const STALE_MS = 3000;
const RETRY_MS = 2000;
const FEWEST_POINTS = 30;
const WORDS = { starting: "live, the stack is starting", disconnected: "disconnected, trying again" };

const byId = (id) => document.getElementById(id);
const charts = { held: heldChart(byId("held")), flow: flowChart(byId("flow")) };
const grouped = new Intl.NumberFormat("en");
const seconds = (ms) => `${Math.max(0, Math.round(ms / 1000))} s`;

let heardAt = null;
let countedBehind = 0;
let connected = false;
let latest = null;

function say(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

const sayNumber = (id, value) => say(id, value == null ? "–" : grouped.format(value));
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

function showNumbers(state) {
  const { connected: counted, outcomes } = state;
  sayNumber("registry", counted?.registry);
  sayNumber("truth", counted?.truth);
  sayNumber("opened", state.opened_per_min);
  sayNumber("closed", sum(state.closed_per_min));
  sayNumber("frames", state.frames.received);
  sayNumber("refused", state.frames.refused);
  sayNumber("accepted", outcomes.accepted);
  sayNumber("not-accepted", sum(outcomes) - outcomes.accepted);
  sayNumber("wrongly", state.wrongly_closed);
  say("wrongly-word", state.wrongly_closed ? "≠ must be 0" : "✓ must stay 0");
  byId("wrongly-tile").classList.toggle("bad", state.wrongly_closed > 0);
  showAgreement(state);
}

function showAgreement({ at, connected: counted, census }) {
  const agree = byId("agree");
  agree.dataset.state = !counted ? "waiting" : counted.agree ? "agrees" : "differs";
  if (!counted) say("agree", "not counted yet");
  else if (counted.agree) say("agree", "✓ agrees");
  else say("agree", `≠ differs, ${seconds(at - counted.differ_since)} so far`);
  say("census", census ? `The last census counted ${grouped.format(census.open)} at ${clockTime(census.at)}.` : "");
}

function showTable(id, counts) {
  for (const row of byId(id).tBodies[0].rows) {
    const count = counts[row.dataset.key];
    const cell = row.cells[2];
    const text = count == null ? "–" : grouped.format(count);
    if (cell.textContent !== text) cell.textContent = text;
    row.classList.toggle("none", !count);
    if (row.dataset.key === "other") row.hidden = !count;
  }
}

function cell(text, title) {
  const made = document.createElement("td");
  made.textContent = text;
  if (title) made.title = title;
  return made;
}

function eventRow(event) {
  const row = document.createElement("tr");
  const alarming = ["WARNING", "ERROR", "CRITICAL"].includes(event.level);
  if (alarming) row.className = event.level === "WARNING" ? "warning" : "error";
  const id = event.connection;
  row.append(
    cell(clockTime(event.at)),
    cell(event.function),
    cell(alarming ? `${event.level}: ${event.text}` : event.text),
    cell(id.length > 9 ? `${id.slice(0, 8)}…` : id, id),
  );
  return row;
}

let shownEvents = "";
function showEvents(events) {
  const held = byId("hold").getAttribute("aria-pressed") === "true";
  const signature = JSON.stringify(events);
  if (held || signature === shownEvents) return;
  shownEvents = signature;
  byId("events-table").tBodies[0].replaceChildren(...events.map(eventRow));
}

/* The time before the start is left out, so that a young stack fills its charts too. */
function showCharts({ t, step, registry, truth, opened, closed }, since) {
  const before = t.filter((at) => at * 1000 < since).length;
  const from = Math.min(before, t.length - FEWEST_POINTS);
  const recent = (points) => points.slice(from);
  const aSecond = (counts, sign) =>
    recent(counts).map((count) => (count == null ? null : (sign * count) / step));
  charts.held.show([recent(t), recent(truth), recent(registry)]);
  charts.flow.show([recent(t), aSecond(opened, 1), aSecond(closed, -1)]);
}

function show(state) {
  if (state.api) say("api", `${state.api.id} / ${state.api.stage}`);
  say("since", `since ${clockTime(state.since)}`);
  showNumbers(state);
  showTable("closed-table", state.closed_per_min);
  showTable("outcomes-table", state.outcomes);
  showEvents(state.events);
  showCharts(state.series, state.since);
  countedBehind = state.connected ? state.at - state.connected.at : 0;
}

/* Stale is either silence of the stream or a stream whose counts have stopped. */
function showStatus() {
  const silent = heardAt == null ? 0 : performance.now() - heardAt;
  const behind = silent + countedBehind;
  let state = "live";
  if (!connected) state = heardAt == null ? "connecting" : "disconnected";
  else if (behind > STALE_MS) state = "stale";
  else if (!latest?.connected) state = "starting";
  say("status-word", WORDS[state] ?? state);
  say("status-age", state === "stale" || state === "disconnected" ? seconds(behind) : "");
  byId("status").dataset.state = state;
  document.body.classList.toggle("old", state === "stale" || state === "disconnected");
}

function listen() {
  const stream = new EventSource("stream");
  stream.onopen = () => {
    connected = true;
    showStatus();
  };
  stream.onmessage = ({ data }) => {
    heardAt = performance.now();
    latest = JSON.parse(data);
    show(latest);
    showStatus();
  };
  stream.onerror = () => {
    connected = false;
    showStatus();
    // A browser gives up for good on any answer but 200; one that is retrying is left alone.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  };
}

byId("hold").addEventListener("click", ({ currentTarget: button }) => {
  const held = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(held));
  if (!held && latest) showEvents(latest.events);
});

setInterval(showStatus, 500);
listen();
