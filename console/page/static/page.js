/* Which view is shown, and when it is asked for again. The address says the view, so it can be sent to somebody. */

import { dashboard } from "./dashboard.js";
import { ask, element } from "./dom.js";
import * as pages from "./pages.js";
import { ZONE, clockTime } from "./words.js";

const view = document.getElementById("view");
const controls = { range: document.getElementById("range"), every: document.getElementById("every"), variables: document.getElementById("variables") };
const status = { box: document.getElementById("status"), word: document.getElementById("status-word"), said: document.getElementById("status-said") };
const chosen = {};
let stack = null;
let shown = null;
let timer = 0;
let asked = 0;

const VIEWS = [
  [/^\/alarms\/(.+)$/, "alarms", (name) => ask(`/api/alarms/${name}`), (told) => pages.alarm(view, told, stack.now)],
  [/^\/alarms$/, "alarms", () => ask("/api/alarms"), (told) => pages.alarmList(view, told, stack.now)],
  [/^\/broadcasts\/(.+)$/, "broadcasts", (id) => ask(`/api/broadcasts/${id}`), (told) => pages.broadcast(view, told)],
  [/^\/broadcasts$/, "broadcasts", () => ask("/api/broadcasts"), (told) => pages.broadcastList(view, told)],
  [/^\/people\/(.+)$/, "people", (name) => ask(`/api/users/${name}`), (told) => pages.user(view, told)],
  [/^\/people$/, "people", () => Promise.resolve({}), () => pages.people(view, (where) => (location.hash = where))],
  [/^\/connections\/(.+)$/, "people", (id) => ask(`/api/connections/${id}`), (told) => pages.life(view, told)],
];

/* Seen at each refresh, and read out only when it has become another state. */
function say(state, word) {
  if (status.box.dataset.state !== state) status.said.textContent = state === "live" ? "up to date" : word;
  status.box.dataset.state = state;
  status.word.textContent = word;
}

function navigation() {
  const pagesOf = stack.dashboards.map((one) => [`#/dashboards/${one.page}`, one.title]);
  const all = [...pagesOf, ["#/alarms", "Alarms"], ["#/broadcasts", "Broadcasts"], ["#/people", "People"]];
  if (stack.live) all.push(["/live/", "Live"]);
  const items = all.map(([href, text]) => element("li", {}, element("a", { href }, text)));
  document.getElementById("pages").replaceChildren(...items);
  document.getElementById("where").textContent = `${stack.name} · ${stack.api}/${stack.stage} · ${stack.local ? "this machine" : stack.region}`;
}

function mark(section) {
  for (const link of document.querySelectorAll("#pages a")) {
    const current = link.getAttribute("href") === `#/${section}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function path() {
  const hash = location.hash.slice(1);
  return hash.startsWith("/") ? hash : `/dashboards/${stack.dashboards[0]?.page ?? "oncall"}`;
}

function variables(told) {
  controls.variables.replaceChildren(
    ...told.variables.map((one) => {
      const input = one.values.length
        ? element("select", {}, ...one.values.map((option) => element("option", { value: option.value, selected: option.value === one.value }, option.label)))
        : element("input", { value: one.value });
      input.addEventListener("change", () => { chosen[`v.${one.id}`] = input.value; refresh(); });
      return element("label", {}, `${one.label} `, input);
    }),
  );
}

async function showDashboard(page, turn) {
  const query = new URLSearchParams({ ...chosen, ...(controls.range.value ? { start: controls.range.value } : {}) });
  const told = await ask(`/api/dashboards/${page}?${query}`);
  if (turn !== asked) return;
  mark(`dashboards/${page}`);
  if (shown?.page === page) shown.view.draw(told);
  else {
    shown?.view.end();
    variables(told);
    shown = { page, view: dashboard(view, told) };
  }
  stack.now = told.now;
}

async function showView(turn) {
  const where = path();
  const page = where.match(/^\/dashboards\/([a-z]+)$/);
  if (page) return showDashboard(page[1], turn);
  const [pattern, section, question, draw] = VIEWS.find(([one]) => one.test(where)) ?? [];
  if (!pattern) throw new Error(`there is no page ${where}`);
  const [told, now] = await Promise.all([question(where.match(pattern)[1]), ask("/api/stack")]);
  if (turn !== asked) return;
  stack.now = now.now;
  shown?.view.end();
  shown = null;
  controls.variables.replaceChildren();
  mark(section);
  draw(told);
}

async function refresh() {
  clearTimeout(timer);
  const turn = ++asked;
  try {
    await showView(turn);
    if (turn === asked) say("live", `as of ${clockTime(stack.now)} ${ZONE}`);
  } catch (error) {
    if (turn !== asked) return;
    say("stale", error.message);
    if (!view.querySelector("h1")) view.replaceChildren(element("h1", {}, "Not shown"), element("p", { class: "refused" }, error.message));
  }
  const seconds = Number(controls.every.value);
  const still = /^\/people$/.test(path()) || /^\/broadcasts\/.+/.test(path());
  if (turn === asked && seconds && !still) timer = setTimeout(refresh, seconds * 1000);
}

function moved() {
  view.focus({ preventScroll: true });
  scrollTo(0, 0);
  say("waiting", "loading");
  refresh();
}

async function begin() {
  try {
    stack = await ask("/api/stack");
  } catch (error) {
    say("stale", error.message);
    timer = setTimeout(begin, 3000);
    return;
  }
  /* Where every look is paid for, once for each minute of metrics is enough. */
  if (!stack.local) controls.every.value = "60";
  navigation();
  addEventListener("hashchange", () => { view.replaceChildren(); shown?.view.end(); shown = null; moved(); });
  controls.range.addEventListener("change", refresh);
  controls.every.addEventListener("change", refresh);
  document.getElementById("again").addEventListener("click", refresh);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { shown?.view.end(); shown = null; view.replaceChildren(); refresh(); });
  refresh();
}

begin();
