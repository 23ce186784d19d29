/* A time series: lines or stacked areas, with the alarms' thresholds drawn on it. The legend shows the values
   under the pointer, or those that the arrow keys have reached, and reads them out. */

import { element } from "./dom.js";
import { NONE, instant, number, tick } from "./words.js";

const PALETTE = ["#0072b2", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c510a", "#a6970a", "#8f8f8f"];
const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3]];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");

/* A dashboard's colours are chosen on white; on a dark ground the dark ones go some way to it. */
export function shade(color) {
  const parts = dark.matches ? color.match(/^#(..)(..)(..)$/)?.slice(1).map((part) => parseInt(part, 16)) : null;
  if (!parts || 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] > 100) return color;
  return `#${parts.map((part) => Math.round(part + (255 - part) * 0.4).toString(16).padStart(2, "0")).join("")}`;
}

export const colour = (series, at) => shade(series.color || PALETTE[at % PALETTE.length]);

/* All series on one sorted list of times. A time that is not of a series is undefined in it; null is a gap. */
function columns(widget) {
  const times = new Set();
  for (const one of widget.series) one.values.forEach((_value, n) => times.add(one.start + n * one.step));
  const xs = [...times].sort((a, b) => a - b);
  const place = new Map(xs.map((x, n) => [x, n]));
  const rows = widget.series.map((one) => {
    const row = new Array(xs.length).fill(undefined);
    one.values.forEach((value, n) => (row[place.get(one.start + n * one.step)] = value));
    return row;
  });
  return [xs, ...rows];
}

/* What a series says at a place: its own newest value up to there, where its periods are longer. */
function upTo(row, place) {
  let n = place;
  while (n > 0 && row[n] === undefined) n -= 1;
  return row[n];
}

/* A stack is drawn from the top down, each area over the sum of those below it. */
function stacked(data, sides) {
  const [xs, ...rows] = data;
  const height = { left: new Array(xs.length).fill(0), right: new Array(xs.length).fill(0) };
  return [xs, ...rows.map((row, at) => {
    if (sides[at] === "right") return row;
    return row.map((value, n) => (value === null || value === undefined ? value : (height.left[n] += value)));
  })];
}

/* Each layer of a stack is filled down to the one below it, not to the ground. */
function layers(widget) {
  if (!widget.stacked) return [];
  const left = widget.series.map((one, at) => [one.side, at + 1]).filter(([side]) => side === "left").map(([, at]) => at);
  return left.slice(1).map((at, n) => ({ series: [at, left[n]] }));
}

/* What each side drew just before the range, from where its lines come in. */
function before(widget, [xs, ...rows]) {
  const found = { left: [], right: [] };
  const first = xs.findIndex((x) => x >= widget.start);
  rows.forEach((row, at) => {
    const value = first > 0 ? upTo(row, first - 1) : null;
    if (value !== null && value !== undefined) found[widget.series[at].side].push(value);
  });
  return found;
}

/* From the values and the thresholds near them; those far off are named at the edge. */
function scale(current, name) {
  return (_chart, low, high) => {
    const axis = current.widget[name];
    const lines = current.widget.lines.filter((line) => line.side === name).map((line) => line.value);
    const entering = current.before[name];
    const highest = Math.max(high ?? 0, ...entering);
    const bottom = axis.min ?? Math.min(low ?? 0, 0, ...entering, ...lines);
    const most = Math.max(highest, ...lines.filter((value) => value <= 4 * Math.max(highest, 1)));
    const top = axis.max ?? bottom + (most - bottom) * 1.12;
    return [bottom, top > bottom ? top : bottom + 1];
  };
}

/* The longest beginning of a text that has room. */
function fitting(ctx, text, room) {
  let end = text.length;
  while (end > 0 && ctx.measureText(end < text.length ? `${text.slice(0, end)}…` : text).width > room) end -= 1;
  return end < text.length ? `${text.slice(0, end)}…` : text;
}

/* Half rows up and down in which a label may stand, the nearest first. */
const NEAR = [0, ...Array.from({ length: 12 }, (_, n) => [(n + 1) / 2, -(n + 1) / 2]).flat()];

/* Writes each label near a height, beside, below or above what stands there already, and within the graph. */
function writer({ ctx, bbox }) {
  const [row, gap] = [13 * devicePixelRatio, 12 * devicePixelRatio];
  const [first, right] = [bbox.left + gap / 3, bbox.left + bbox.width - gap / 3];
  const written = [];
  const from = (at) => Math.max(first, ...written.filter((one) => Math.abs(one.at - at) < row).map((one) => one.end));
  return (text, wanted) => {
    const width = ctx.measureText(text).width;
    const rows = NEAR.map((n) => wanted + n * row).filter((at) => at > bbox.top + 0.7 * row && at < bbox.top + bbox.height);
    const emptiest = [wanted, ...rows].reduce((best, at) => (from(at) < from(best) ? at : best));
    const at = rows.find((one) => from(one) + width <= right) ?? emptiest;
    const shown = fitting(ctx, text, right - from(at));
    const [begin, end] = [from(at), from(at) + ctx.measureText(shown).width];
    /* What runs behind it must not strike it through. */
    ctx.globalAlpha = 0.75;
    ctx.fillStyle = style("--card");
    ctx.fillRect(begin, at - 0.8 * row, end - begin, row);
    ctx.globalAlpha = 1;
    ctx.fillStyle = style("--text");
    ctx.fillText(shown, begin, at);
    written.push({ at, end: end + gap });
  };
}

function drawBand(chart, band) {
  const { ctx, bbox } = chart;
  const [top, bottom] = [band.to, band.from].map((value) => chart.valToPos(value, band.side, true));
  ctx.globalAlpha = 0.12;
  ctx.fillStyle = shade(band.color || style("--muted"));
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.globalAlpha = 1;
}

function drawLine(chart, line) {
  const { ctx, bbox } = chart;
  const y = chart.valToPos(line.value, line.side, true);
  ctx.globalAlpha = 0.08;
  ctx.fillStyle = ctx.strokeStyle = shade(line.color || style("--muted"));
  if (line.fill === "above") ctx.fillRect(bbox.left, bbox.top, bbox.width, y - bbox.top);
  if (line.fill === "below") ctx.fillRect(bbox.left, y, bbox.width, bbox.top + bbox.height - y);
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

/* A threshold that the scale does not reach is named with its value at the edge beyond which it is. */
function nameLine(chart, line, write) {
  const { bbox, scales } = chart;
  const said = `${line.label} at ${number(line.value)}`;
  const y = chart.valToPos(line.value, line.side, true);
  if (line.value > scales[line.side].max) write(`↑ ${said}`, bbox.top + 13 * devicePixelRatio);
  else if (line.value < scales[line.side].min) write(`↓ ${said}`, bbox.top + bbox.height - 4 * devicePixelRatio);
  else write(line.label, y + (y - bbox.top > 18 * devicePixelRatio ? -4 : 13) * devicePixelRatio);
}

function drawMoment(chart, moment) {
  const { ctx, bbox } = chart;
  const x = chart.valToPos(moment.at, "x", true);
  const room = bbox.left + bbox.width - x > ctx.measureText(moment.label).width + 4 * devicePixelRatio;
  ctx.strokeStyle = shade(moment.color || style("--muted"));
  ctx.fillStyle = style("--text");
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.textAlign = room ? "left" : "right";
  ctx.fillText(moment.label, x + (room ? 4 : -4) * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
}

function thresholds(current) {
  return (chart) => {
    const { widget } = current;
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    for (const band of widget.bands) drawBand(chart, band);
    for (const line of widget.lines) drawLine(chart, line);
    const write = writer(chart);
    for (const line of widget.lines) nameLine(chart, line, write);
    for (const moment of widget.moments) drawMoment(chart, moment);
    ctx.restore();
  };
}

/* What the chart asks for while it is drawn is asked of *current*, so that it outlives its first data. */
function options(current, box, read) {
  const { widget } = current;
  const axis = (more) => ({
    stroke: style("--muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: style("--line"), width: 1 },
    ticks: { show: false },
    ...more,
  });
  const sides = new Set([...widget.series, ...widget.lines].map((one) => one.side));
  if (!sides.size) sides.add("left");
  const value = (_chart, splits) => splits.map((split) => number(split));
  const upright = (name, more) =>
    axis({ scale: name, size: 46, space: 28, label: widget[name].label || null, labelSize: 16, labelFont: "11px system-ui, sans-serif", values: value, ...more });
  return {
    width: Math.max(box.clientWidth, 120),
    height: Math.max(box.clientHeight, 80),
    /* The newest time stands half beyond the end, where no axis gives it room. */
    padding: [10, sides.has("right") ? 10 : 22, 0, 0],
    cursor: { sync: { key: "page" }, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [current.widget.start, current.widget.end] },
      left: { range: scale(current, "left") },
      right: { range: scale(current, "right") },
    },
    axes: [
      axis({ size: 24, space: 64, values: (_chart, splits) => splits.map((at) => tick(at, current.widget.end - current.widget.start)) }),
      ...(sides.has("left") ? [upright("left", { side: 3 })] : []),
      ...(sides.has("right") ? [upright("right", { side: 1, ...(sides.has("left") ? { grid: { show: false } } : {}) })] : []),
    ],
    series: [
      {},
      ...widget.series.map((one, at) => ({
        label: one.label,
        scale: one.side,
        stroke: colour(one, at),
        width: 1.75,
        dash: widget.stacked ? [] : DASHES[Math.floor(at / PALETTE.length) % DASHES.length],
        fill: widget.stacked && one.side === "left" ? `${colour(one, at)}88` : undefined,
        points: { show: (_chart, n) => current.widget.series[n - 1].values.filter((point) => point !== null).length < 3, size: 5 },
        spanGaps: false,
      })),
    ],
    bands: layers(widget),
    hooks: { draw: [thresholds(current)], setCursor: [(chart) => read(chart.cursor.idx)] },
  };
}

/* What a chart cannot change while it lives. */
const made = (widget) => JSON.stringify([widget.stacked, widget.left, widget.right, widget.lines.map((line) => line.side), widget.series.map((one) => [one.label, one.side, one.color])]);

/* Returns how to draw it with new data; the chart itself is kept, and the point that somebody reads. */
export function graph(box) {
  const current = { widget: null, before: null };
  let plain = [];
  const canvas = element("div", { class: "canvas", tabindex: "0", role: "application", "aria-roledescription": "graph" });
  const legend = element("ul", { class: "legend" });
  const spoken = element("p", { class: "unseen", "aria-live": "polite" });
  const empty = element("p", { class: "empty muted", hidden: true }, "no data in this range");
  box.append(canvas, empty, legend, spoken);
  let chart = null;
  let at = null;
  const when = (epoch) => instant(epoch, current.widget.end - current.widget.start);

  const read = (index) => {
    at = index ?? null;
    legend.querySelectorAll("b").forEach((cell, n) => {
      const one = current.widget.series[n];
      if (one) cell.textContent = number(at === null ? one.latest : upTo(plain[n + 1], at), one.unit);
    });
    legend.dataset.at = at === null ? "" : when(plain[0][at]);
  };

  /* Read the point of a time again, or the oldest there is where that has left the range. */
  const reread = (time) => {
    const index = time === null ? -1 : plain[0].findIndex((x) => x >= Math.max(time, current.widget.start));
    if (index < 0) return read(null);
    chart.setCursor({ left: chart.valToPos(plain[0][index], "x"), top: 10 });
    read(index);
  };

  const step = (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move || !plain[0]?.length) return;
    event.preventDefault();
    const last = plain[0].length - 1;
    const index = Math.min(last, Math.max(0, (at ?? last - move) + move));
    chart.setCursor({ left: chart.valToPos(plain[0][index], "x"), top: 10 });
    const told = current.widget.series.map((one, n) => `${one.label} ${number(upTo(plain[n + 1], index), one.unit)}`);
    spoken.textContent = `${when(plain[0][index])}: ${told.join(", ")}`;
  };
  canvas.addEventListener("keydown", step);

  const draw = (widget) => {
    const same = chart && made(widget) === made(current.widget);
    const time = at === null ? null : plain[0][at];
    current.widget = widget;
    plain = columns(widget);
    const data = widget.stacked ? stacked(plain, widget.series.map((one) => one.side)) : plain;
    current.before = before(widget, data);
    canvas.setAttribute("aria-label", `${widget.title}: ${widget.series.map((one) => `${one.label} ${number(one.latest, one.unit)}`).join(", ") || "no data"}`);
    const points = plain.slice(1).flat().filter((value) => value !== null && value !== undefined).length;
    canvas.dataset.points = points;
    empty.hidden = points > 0;
    /* A batch draws at once, so that whoever spreads the drawing sees what it costs. */
    if (same) {
      chart.batch(() => chart.setData(data));
      reread(time);
    } else {
      chart?.destroy();
      const marks = widget.series.map((one, n) => {
        const mark = element("i", { "aria-hidden": "true" });
        mark.style.background = colour(one, n);
        return element("li", {}, mark, `${one.label} `, element("b", {}, NONE));
      });
      legend.replaceChildren(...(widget.legend === "hidden" ? [] : marks));
      at = null;
      chart = new uPlot(options(current, canvas, read), data, canvas);
      read(null);
      /* After its own first drawing, which sets the scales. */
      queueMicrotask(() => reread(time));
    }
  };
  const resize = new ResizeObserver(() => chart?.setSize({ width: Math.max(canvas.clientWidth, 120), height: Math.max(canvas.clientHeight, 80) }));
  resize.observe(canvas);
  return { draw, end: () => { resize.disconnect(); chart?.destroy(); } };
}
