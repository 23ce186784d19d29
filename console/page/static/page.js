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
let fresh = null; /* Of what is seen: the time of the data, and when it came by this browser's clock. */

const VIEWS = [
  [/^\/alarms\/(.+)$/, "alarms", (name) => ask(`/api/alarms/${name}`), (told) => pages.alarm(view, told, stack.now)],
  [/^\/alarms$/, "alarms", () => ask("/api/alarms"), (told) => pages.alarmList(view, told, stack.now)],
  [/^\/broadcasts\/(.+)$/, "broadcasts", (id) => ask(`/api/broadcasts/${id}`), (told) => pages.broadcast(view, told)],
  [/^\/broadcasts$/, "broadcasts", () => ask("/api/broadcasts"), (told) => pages.broadcastList(view, told)],
  [/^\/people\/(.+)$/, "people", (name) => ask(`/api/users/${name}`), (told) => pages.user(view, told)],
  [/^\/people$/, "people", () => Promise.resolve({}), () => pages.people(view, (where) => (location.hash = where))],
  [/^\/connections\/(.+)$/, "people", (id) => ask(`/api/connections/${id}`), (told) => pages.life(view, told)],
];

const DASHBOARD = /^\/dashboards\/([a-z]+)$/;
const STILL = /^\/people$|^\/broadcasts\/.+/;

/* Refreshes after which data is no longer taken for that of now, and seconds between two where there are none. */
const LATE = 3;
const UNHURRIED_S = 60;

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

function mark(where) {
  const section = where.match(DASHBOARD) ? where : `/${viewOf(where)?.[1]}`;
  for (const link of document.querySelectorAll("#pages a")) {
    const current = link.getAttribute("href") === `#${section}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function path() {
  const hash = location.hash.slice(1);
  return hash.startsWith("/") ? hash : `/dashboards/${stack.dashboards[0]?.page ?? "oncall"}`;
}

const viewOf = (where) => VIEWS.find(([one]) => one.test(where));

/* A form that is being filled in, and what is read at length, are asked for again only by hand. */
const still = () => STILL.test(path());
const every = () => (still() ? 0 : Number(controls.every.value));

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
  const lines = (number) => `/api/dashboards/${page}/lines/${number}?${query}`;
  if (shown?.page === page) shown.view.draw(told, lines);
  else {
    shown?.view.end();
    variables(told);
    shown = { page, view: dashboard(view, told, lines) };
  }
  stack.now = told.now;
}

async function showView(turn) {
  const where = path();
  const page = where.match(DASHBOARD);
  if (page) return showDashboard(page[1], turn);
  const [pattern, , question, draw] = viewOf(where) ?? [];
  if (!pattern) throw new Error(`there is no page ${where}`);
  const [told, now] = await Promise.all([question(where.match(pattern)[1]), ask("/api/stack")]);
  if (turn !== asked) return;
  stack.now = now.now;
  shown?.view.end();
  shown = null;
  controls.variables.replaceChildren();
  draw(told);
}

const timeOf = (epoch) => `${clockTime(epoch)} ${ZONE}`;

/* What is on the page stays, and it is said of when it is. */
function stale(why) {
  say("stale", fresh ? `${why}; shows ${timeOf(fresh.of)}` : why);
}

/* Nobody may take old numbers for those of now: not when refreshing is off, not when a question is still open. */
function growOld() {
  const late = fresh && !still() && Date.now() - fresh.came > LATE * 1000 * (every() || UNHURRIED_S);
  if (late && status.box.dataset.state === "live") stale("nothing newer");
}

function name() {
  const heading = view.querySelector("h1")?.textContent;
  document.title = [heading, stack.name, "Socketwatch"].filter(Boolean).join(" · ");
}

async function refresh() {
  clearTimeout(timer);
  const turn = ++asked;
  mark(path());
  try {
    await showView(turn);
    if (turn !== asked) return;
    fresh = { of: stack.now, came: Date.now() };
    say("live", `as of ${timeOf(stack.now)}`);
  } catch (error) {
    if (turn !== asked) return;
    stale(error.message);
    if (!view.querySelector("h1")) view.replaceChildren(element("h1", {}, "Not shown"), element("p", { class: "refused" }, error.message));
  }
  name();
  if (every()) timer = setTimeout(again, every() * 1000);
}

/* Nobody looks at a page in the background, and each look is paid for: it goes on when it is seen again. */
function again() {
  if (!document.hidden) refresh();
}

function seen() {
  const due = every() && Date.now() - (fresh?.came ?? 0) >= every() * 1000;
  if (!document.hidden && due) refresh();
}

/* Whatever is shown is of another page, or of other colours. */
function clear() {
  shown?.view.end();
  shown = fresh = null;
  view.replaceChildren();
}

function moved() {
  clear();
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
  addEventListener("hashchange", moved);
  controls.range.addEventListener("change", refresh);
  controls.every.addEventListener("change", refresh);
  document.getElementById("again").addEventListener("click", refresh);
  document.addEventListener("visibilitychange", seen);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { clear(); refresh(); });
  setInterval(growOld, 1000);
  refresh();
}

begin();
