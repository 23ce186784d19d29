/* How numbers and times read. */

const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const SECOND = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });
const SHORT = new Intl.NumberFormat("en-GB", { notation: "compact", maximumSignificantDigits: 3 });
const UNITS = { Percent: " %", Seconds: " s", Milliseconds: " ms", Bytes: " B" };

export const NONE = "–";

export function number(value, unit = "") {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  const text = size >= 1e6 ? SHORT.format(value) : Number.isInteger(value) || size >= 1000 ? WHOLE.format(value) : SMALL.format(value);
  return text + (UNITS[unit] ?? "");
}

export const clockTime = (epoch) => SECOND.format(epoch * 1000);
export const tick = (epoch, span) => (span > 2 * 86400 ? DAY.format(epoch * 1000) : MINUTE.format(epoch * 1000));
export const moment = (epoch) => (epoch ? `${DAY.format(epoch * 1000)} ${SECOND.format(epoch * 1000)}` : NONE);

/* The time of day says enough within half a day. */
export const instant = (epoch, span) => (span > 43200 ? moment(epoch) : clockTime(epoch));

export function ago(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return NONE;
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export const STATES = {
  ALARM: { word: "alarm", mark: "▲", tone: "bad" },
  OK: { word: "ok", mark: "●", tone: "fine" },
  INSUFFICIENT_DATA: { word: "no data", mark: "○", tone: "muted" },
};

/* In which the times read; only the rows of logs say UTC. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
