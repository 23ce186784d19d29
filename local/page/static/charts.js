/* Two uPlot charts over the same minutes, five at most. Colours come from the style sheet, so that light
   and dark need no second list here. */

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const clockTime = (epochMs) => TIME.format(epochMs);

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const rounded = (value) => String(Math.round(Math.abs(value) * 10) / 10);
const number = (_chart, value) => (value == null ? "–" : rounded(value));

function drawn(label, colour, more) {
  return { label, stroke: style(colour), value: number, points: { show: false }, ...more };
}

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000];

function axis(more) {
  const grid = { stroke: style("--line"), width: 1 };
  return { stroke: style("--muted"), font: "11px system-ui, sans-serif", grid, ticks: { show: false }, ...more };
}

/* From 0, or as far below it as above it where there is anything below. */
function span(_chart, low, high) {
  const most = Math.max(4, Math.ceil(Math.max(high ?? 0, -(low ?? 0)) * 1.15));
  return low < 0 ? [-most, most] : [0, most];
}

function options(box, series) {
  return {
    width: box.clientWidth,
    height: box.clientHeight - 26, // the legend stands below the plot
    padding: [8, 28, 0, 0],
    cursor: { sync: { key: "page" }, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { markers: { width: 3, dash: (chart, at) => (chart.series[at].dash ? "dashed" : "solid") } },
    scales: {
      x: { time: true, range: (_chart, low, high) => [low, high] },
      y: { range: span },
    },
    axes: [
      axis({ size: 24, space: 70, values: (_chart, splits) => splits.map((at) => clockTime(at * 1000)) }),
      axis({ size: 38, space: 32, incrs: WHOLE, values: (_chart, splits) => splits.map(rounded) }),
    ],
    series: [{ label: "Time", value: (_chart, at) => (at == null ? "–" : clockTime(at * 1000)) }, ...series],
  };
}

/* The truth is drawn first, wide and solid, and the registry dashed upon it: where they agree
   both are still seen. */
const held = () => [
  drawn("sockets", "--second", { width: 4 }),
  drawn("registry", "--first", { width: 2, dash: [5, 4] }),
];

/* Direction tells the two apart, and colour only besides. */
const flow = () => {
  const paths = uPlot.paths.bars({ size: [0.85, 12], align: 1 });
  return [
    drawn("opened", "--first", { width: 0, fill: style("--first"), paths }),
    drawn("closed", "--second", { width: 0, fill: style("--second"), paths }),
  ];
};

export class Chart {
  constructor(box, series) {
    this.box = box;
    this.series = series;
    this.data = null;
    this.plot = null;
    new ResizeObserver(() => this.build()).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
  }

  build() {
    this.plot?.destroy();
    this.plot = null;
    if (this.data && this.box.clientWidth) {
      this.plot = new uPlot(options(this.box, this.series()), this.data, this.box);
      queueMicrotask(() => this.tellNewest()); // after uPlot's own first drawing, which clears it
    }
  }

  show(data) {
    this.data = data;
    if (!this.plot) return this.build();
    this.plot.setData(data);
    this.tellNewest();
  }

  /* With no cursor on the chart the legend names the newest point that is known in full. */
  tellNewest() {
    if (!this.plot || this.plot.cursor.idx != null) return;
    const idx = this.data[1].findLastIndex((value) => value != null);
    if (idx >= 0) this.plot.setLegend({ idx });
  }
}

export const heldChart = (box) => new Chart(box, held);
export const flowChart = (box) => new Chart(box, flow);
