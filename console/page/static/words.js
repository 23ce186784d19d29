/* How numbers and times read. */

const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const SECOND = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0, roundingMode: "trunc" });
const SMALL = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 4, roundingMode: "trunc" });
const FULL = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 4, roundingMode: "trunc" });
/* American, for a British million is an m, which is also a thousandth. */
const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3, roundingMode: "trunc" });
const UNITS = { Percent: " %", Seconds: " s", Milliseconds: " ms", Bytes: " B" };

export const NONE = "–";

/* Rounded down, so that 100 % says all; twelve digits first, for sums of floats end in a stray one. */
export function number(given, unit = "", full = false) {
  if (given === null || given === undefined) return NONE;
  const value = Number(given.toPrecision(12));
  return forms(value, full).format(value) + (UNITS[unit] ?? "");
}

function forms(value, full) {
  if (full) return FULL;
  const size = Math.abs(value);
  if (size >= 1e6) return SHORT;
  return Number.isInteger(value) || size >= 1000 ? WHOLE : SMALL;
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
