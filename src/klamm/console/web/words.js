// Numbers, sizes and times as people read them.

const number = new Intl.NumberFormat();

export const count = (value) => (value === null || value === undefined ? "–" : number.format(value));

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) [value, at] = [value / 1024, at + 1];
  return `${value >= 100 || at === 0 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return value === 0 ? "0 s" : "under 1 s";
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} days`;
}

export const percent = (value) => (value === null || value === undefined ? "–" : `${value > 0 ? "+" : ""}${value} %`);

export const time = (millis) => (millis ? new Date(millis).toLocaleString() : "–");
