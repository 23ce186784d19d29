/* Small pieces of the page. Text is always set as text, never as markup; the only markup that is taken over
   is what the server made of markdown, in which nothing can run. */

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function markup(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const link of template.content.querySelectorAll("a[href]")) mend(link);
  /* What is wide scrolls, also by keys; the corner of a table is no heading. */
  for (const wide of template.content.querySelectorAll("pre")) wide.tabIndex = 0;
  for (const corner of template.content.querySelectorAll("th:empty")) corner.replaceWith(document.createElement("td"));
  return template.content;
}

/* Links between CloudWatch's dashboards lead to our pages; runbooks to theirs; other addresses leave in a new
   tab, and files of the checkout are named but not served. */
function mend(link) {
  const href = link.getAttribute("href");
  const dashboard = href.match(/^#dashboards:name=.*-([a-z]+)$/);
  const runbook = href.match(/([A-Za-z0-9]+)\.md(#.*)?$/);
  if (dashboard) link.setAttribute("href", `#/dashboards/${dashboard[1]}`);
  else if (runbook) link.setAttribute("href", runbook[1] === "README" ? "#/alarms" : `#/alarms/${runbook[1]}`);
  else if (/^https?:/.test(href)) {
    link.setAttribute("rel", "noreferrer noopener");
    link.setAttribute("target", "_blank");
  } else if (!href.startsWith("#/")) link.removeAttribute("href");
}

export function table(caption, columns, rows) {
  const head = columns.map((name) => element("th", { scope: "col" }, name));
  const known = new Map();
  const body = rows.map((cells) =>
    element("tr", { "data-key": rowKey(cells[0], known) }, ...cells.map((cell, at) => element(at ? "td" : "th", { scope: at ? null : "row", "data-of": columns[at] }, cell))),
  );
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
}

/* A row is known by its first cell, and where several begin alike by which of them it is. */
function rowKey(cell, known) {
  const text = cell?.textContent ?? String(cell);
  known.set(text, (known.get(text) ?? 0) + 1);
  return `${known.get(text)} ${text}`;
}

/* Make what stands in *parent* into *wanted*, and touch only what differs: whoever has the focus, a scroll or a
   selection there keeps them. What has a data-key stays the same element wherever it stands. */
export function become(parent, ...wanted) {
  const focused = document.activeElement;
  match(parent, wanted.flatMap((one) => (one instanceof DocumentFragment ? [...one.childNodes] : one ?? [])));
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

const keyOf = (node) => node?.dataset?.key;

function match(parent, wanted) {
  const keyed = new Map([...parent.children].map((child) => [keyOf(child), child]));
  let next = parent.firstChild;
  for (const one of wanted) {
    const key = keyOf(one);
    const old = key ? keyed.get(key) : keyOf(next) ? null : next;
    if (old?.nodeName !== one.nodeName) {
      parent.insertBefore(one, next);
      continue;
    }
    if (old === next) next = next.nextSibling;
    else parent.insertBefore(old, next);
    mould(old, one);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function mould(old, wanted) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  for (const name of old.getAttributeNames()) if (!KEPT.has(name) && !wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  /* As an attribute it would be against the page's policy. */
  if (old.style.cssText !== wanted.style.cssText) old.style.cssText = wanted.style.cssText;
  match(old, [...wanted.childNodes]);
}

/* A reader opens and closes details. */
const KEPT = new Set(["style", "open"]);

/* Longer than Logs Insights is waited for; a server that hangs must not look like one that has nothing new. */
const PATIENCE_S = 30;

function unanswered(error) {
  return new Error(error.name === "TimeoutError" ? `no answer in ${PATIENCE_S} s` : "the page’s server does not answer");
}

export async function ask(path) {
  const signal = AbortSignal.timeout(PATIENCE_S * 1000);
  const told = await fetch(path, { headers: { Accept: "application/json" }, signal })
    .then(async (answer) => ({ answer, text: await answer.text() }))
    .catch((error) => { throw unanswered(error); });
  return said(told.answer, told.text);
}

function said(answer, text) {
  try {
    const told = JSON.parse(text);
    if (answer.ok) return told;
    throw new Error(told.error);
  } catch (error) {
    throw error instanceof SyntaxError ? new Error(`${answer.status} ${answer.statusText}`) : error;
  }
}
