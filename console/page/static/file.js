/* A page that was saved as a file: drawn once, from the data beside it. */

import { dashboard } from "./dashboard.js";
import { element } from "./dom.js";
import { ZONE, moment } from "./words.js";

const told = JSON.parse(document.getElementById("data").textContent);
const { stack, dashboard: page } = told;
const range = `${moment(page.start)} to ${moment(page.end)} (${ZONE})`;

document.getElementById("head").append(
  element("p", { class: "brand" }, "Socketwatch"),
  element("p", { class: "muted" }, `${stack.name} · ${stack.api}/${stack.stage} · ${stack.local ? "this machine" : stack.region} · ${page.name} · ${range}`),
);
const view = document.getElementById("view");

function draw() {
  const shown = dashboard(view, page);
  /* Other pages are not in the file. What scrolled for its links' sake is reached by Tab itself. */
  for (const link of view.querySelectorAll('a[href^="#/"]')) link.removeAttribute("href");
  for (const body of view.querySelectorAll(".alarm .body")) body.tabIndex = 0;
  return shown;
}

let shown = draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  shown.end();
  shown = draw();
});
