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
  const body = rows.map((cells) =>
    element("tr", {}, ...cells.map((cell, at) => element(at ? "td" : "th", { scope: at ? null : "row", "data-of": columns[at] }, cell))),
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

export async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const told = await answer.json().catch(() => ({ error: `${answer.status} ${answer.statusText}` }));
  if (!answer.ok) throw new Error(told.error);
  return told;
}
