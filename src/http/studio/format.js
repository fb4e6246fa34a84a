// How numbers and times are written.

const DASH = "–";
// Four digits are read at a glance, and are often a year: only longer numbers are grouped.
const style = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: "min2" });
const fixed = [0, 1, 2, 3, 4].map((digits) => new Intl.NumberFormat("en", style(digits)));
const BYTES = /^(B|bytes?)(\/s)?$/i;

// A whole number with its digits in groups.
export function count(number) {
  return fixed[0].format(number);
}

// A value and its unit as [text, unit]. `fraction` says whether it ever had one: then it keeps its digits,
// so that they do not come and go.
export function reading(value, unit, fraction) {
  if (value === null) return [DASH, ""];
  if (typeof value !== "number") return [String(value), unit];
  const size = Math.abs(value);
  if (BYTES.test(unit)) return bytes(value, unit.endsWith("/s") ? "/s" : "");
  if (size >= 1e12 || (size > 0 && size < 1e-4)) return [value.toExponential(2), unit];
  if (!fraction) return [fixed[0].format(value), unit];
  return [fixed[size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 || size === 0 ? 2 : 4].format(value), unit];
}

// Bytes with a decimal prefix.
export function bytes(value, per = "") {
  const size = Math.abs(value);
  const step = Math.min(5, Math.max(0, Math.floor(Math.log10(size || 1) / 3)));
  const shown = value / 1000 ** step;
  const digits = step === 0 || Math.abs(shown) >= 99.95 ? 0 : Math.abs(shown) >= 9.995 ? 1 : 2;
  return [fixed[digits].format(shown), ["B", "kB", "MB", "GB", "TB", "PB"][step] + per];
}

// A short time of so many microseconds, as exact as it was measured: two digits or three.
export function brief(micros) {
  if (micros === null || micros === undefined) return [DASH, ""];
  const [shown, unit] = micros < 999.5 ? [micros, "µs"] : micros < 999500 ? [micros / 1e3, "ms"] : [micros / 1e6, "s"];
  return [fixed[shown < 9.95 ? 1 : 0].format(shown), unit];
}

// A time span in its two largest units.
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  if (minutes) return `${minutes} min ${whole % 60} s`;
  return `${whole} s`;
}

// A time span as one number, for narrow places.
export function ago(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 1) return "now";
  if (whole < 60) return `${whole} s ago`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ago`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ago`;
  return `${Math.floor(whole / 86400)} d ago`;
}
