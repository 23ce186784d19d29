/* Numbers, gauges, bars and tables: the widgets that are no time series. */

import { element, shape, table } from "./dom.js";
import { colour, shade } from "./graph.js";
import { NONE, instant, number } from "./words.js";

const LATE_S = 300;

function sparkline(series, at) {
  const known = series.values.map((value, n) => [n, value]).filter(([, value]) => value !== null);
  if (known.length < 2) return null;
  const [low, high] = [Math.min(...known.map(([, v]) => v)), Math.max(...known.map(([, v]) => v))];
  const x = (n) => (100 * n) / (series.values.length - 1);
  const y = (value) => (high === low ? 12 : 22 - (20 * (value - low)) / (high - low));
  const points = known.map(([n, value]) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return shape(
    "svg",
    { viewBox: "0 0 100 24", preserveAspectRatio: "none", class: "spark", "aria-hidden": "true" },
    shape("polyline", { points, fill: "none", stroke: colour(series, at), "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" }),
  );
}

/* The worst threshold that a value has passed, said in words. */
function passed(widget, value) {
  if (value === null) return null;
  const over = widget.lines.filter((line) => (line.fill === "below" ? value <= line.value : line.fill === "above" && value >= line.value));
  return over.length ? over[over.length - 1] : null;
}

/* What there is to say of a figure that is not there, or is not of now. */
function silence(widget, series) {
  const late = widget.end - series.latest_at > Math.max(LATE_S, 2 * series.period);
  const said = series.latest === null ? "no data in this range" : late ? `nothing since ${instant(series.latest_at, widget.end - series.latest_at)}` : null;
  return said && element("dd", { class: "muted" }, said);
}

export function numbers(widget) {
  const tiles = widget.series.map((series, at) => {
    const line = passed(widget, series.latest);
    const big = element("dd", { class: "big" }, number(series.latest, series.unit, widget.full));
    /* A rule below it, for a figure in a light colour cannot be read. */
    if (line) big.style.borderBottom = `3px solid ${shade(line.color)}`;
    return element("div", {}, element("dt", {}, series.label), big, silence(widget, series), line ? element("dd", { class: "muted" }, line.label) : null, widget.sparkline ? sparkline(series, at) : null);
  });
  return element("dl", { class: "numbers" }, ...tiles);
}

export function gauges(widget) {
  const [low, high] = [widget.left.min ?? 0, widget.left.max ?? 100];
  const share = (value) => `${Math.min(100, Math.max(0, (100 * (value - low)) / (high - low)))}%`;
  const made = widget.series.map((series, at) => {
    const fill = element("div", { class: "fill" });
    fill.style.width = series.latest === null ? "0" : share(series.latest);
    fill.style.background = shade(passed(widget, series.latest)?.color ?? "") || colour(series, at);
    const bar = element("div", { class: "gauge", "aria-hidden": "true" }, fill);
    for (const line of widget.lines) {
      const mark = element("span", { title: line.label });
      mark.style.left = share(line.value);
      mark.style.background = shade(line.color);
      bar.append(mark);
    }
    const said = series.latest === null ? NONE : number(series.latest, series.unit, widget.full);
    return element("div", {}, element("dt", {}, series.label), element("dd", { class: "big" }, said), silence(widget, series), bar, element("dd", { class: "muted ends" }, element("span", {}, number(low)), element("span", {}, number(high))));
  });
  const lines = widget.lines.map((line) => element("li", {}, `${line.label}`));
  return element("div", {}, element("dl", { class: "numbers" }, ...made), element("ul", { class: "legend" }, ...lines));
}

export function bars(widget) {
  const most = Math.max(...widget.series.map((series) => series.latest ?? 0), 1e-9);
  const rows = widget.series.map((series, at) => {
    const fill = element("div", { class: "fill" });
    fill.style.width = `${(100 * Math.max(0, series.latest ?? 0)) / most}%`;
    fill.style.background = colour(series, at);
    return element("tr", {}, element("th", { scope: "row" }, series.label), element("td", { class: "bar" }, fill), element("td", { class: "figure" }, number(series.latest, series.unit)));
  });
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": widget.title }, element("table", { class: "bars" }, element("caption", { class: "unseen" }, widget.title), element("tbody", {}, ...rows)));
}

export function summary(widget) {
  const rows = widget.series.map((series) => {
    const known = series.values.filter((value) => value !== null);
    const mean = known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
    const said = [series.latest, known.length ? Math.min(...known) : null, known.length ? Math.max(...known) : null, mean];
    return [series.label, ...said.map((value) => number(value, series.unit))];
  });
  return table(widget.title, ["Metric", "Last", "Lowest", "Highest", "Mean"], rows);
}

/* The same graph as a table, for whoever reads better than sees. */
export function values(widget) {
  const all = new Map();
  widget.series.forEach((series, at) =>
    series.values.forEach((value, n) => {
      const time = series.start + n * series.step;
      if (value !== null) (all.get(time) ?? all.set(time, []).get(time))[at] = value;
    }),
  );
  const rows = [...all.keys()].sort((a, b) => b - a).slice(0, 200).map((time) => [instant(time, widget.end - widget.start), ...widget.series.map((series, at) => number(all.get(time)[at], series.unit))]);
  return table(`${widget.title}, as a table`, ["Time", ...widget.series.map((series) => series.label)], rows);
}
