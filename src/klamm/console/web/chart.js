// A line chart of a few series over time, in SVG. What it shows stands below it as a table, for who cannot see it;
// lines differ by dashes, too, for who sees no colours. A gap is what was not known.

import { h, s } from "./dom.js";
import { table } from "./parts.js";
import { bytes } from "./words.js";

const WIDE = 640, HIGH = 180, LEFT = 64, BELOW = 22, ABOVE = 8;

/** `lines`: [{title, values}], values null where unknown; `times`: seconds of the epoch; `say`: a value as text. */
export function chart(title, times, lines, say) {
  const known = lines.flatMap((line) => line.values).filter((value) => value !== null);
  if (times.length < 2 || !known.length) {
    return h("figure", { class: "chart", key: `chart-${title}` }, h("figcaption", null, title), h("p", { class: "none" }, "There is no history of it yet."));
  }
  const top = say === bytes ? power(Math.max(...known)) : ceiling(Math.max(...known));
  const first = times[0], last = times.at(-1);
  const x = (at) => LEFT + ((at - first) / (last - first)) * (WIDE - LEFT - 8);
  const y = (value) => ABOVE + (1 - value / top) * (HIGH - ABOVE - BELOW);
  const grid = [0, 0.5, 1].map((part) => [
    s("line", { class: "grid", x1: LEFT, x2: WIDE - 8, y1: y(top * part), y2: y(top * part) }),
    s("text", { class: "tick", x: LEFT - 6, y: y(top * part) + 4, "text-anchor": "end" }, say(top * part)),
  ]);
  const hours = [0, 0.5, 1].map((part) =>
    s("text", { class: "tick", x: x(first + (last - first) * part), y: HIGH - 6, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle" }, clock(first + (last - first) * part, last - first)));
  const drawn = lines.map((line, number) => s("path", { class: `line line-${number % 6}`, d: way(times, line.values, x, y) }));
  const said = lines.map((line) => `${line.title}: ${summary(line.values, say)}`).join("; ");
  const columns = [
    { name: "time", title: "Time", cell: (at) => clock(times[at], last - first) },
    ...lines.map((line) => ({ name: line.title, title: line.title, number: true, cell: (at) => (line.values[at] === null ? "–" : say(line.values[at])) })),
  ];
  const seldom = Math.max(1, Math.ceil(times.length / 30));
  const rows = times.map((_, at) => at).filter((at) => (times.length - 1 - at) % seldom === 0).reverse();
  return h(
    "figure",
    { class: "chart", key: `chart-${title}` },
    h("figcaption", null, title, lines.map((line, number) => h("span", { class: "legend" }, s("svg", { width: 26, height: 8, "aria-hidden": "true" }, s("line", { class: `line line-${number % 6}`, x1: 0, x2: 26, y1: 4, y2: 4 })), ` ${line.title}: ${now(line.values, say)}`))),
    s("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `${title}. ${said}` }, grid, hours, drawn),
    h("details", null, h("summary", null, "As a table"), table(title, columns, rows, { key: (at) => times[at] })),
  );
}

function way(times, values, x, y) {
  let path = "", drawing = false;
  values.forEach((value, at) => {
    if (value === null) drawing = false;
    else {
      // A point between two gaps is drawn as a dot.
      path += `${drawing ? "L" : "M"}${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}${!drawing && (values[at + 1] ?? null) === null ? "h.1" : ""}`;
      drawing = true;
    }
  });
  return path;
}

/** The next round number, so that lines do not touch the top and the ticks can be read. */
function ceiling(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((one) => one * size).find((one) => one >= value);
}

const power = (value) => 2 ** Math.max(Math.ceil(Math.log2(Math.max(value, 1))), 10);

const now = (values, say) => {
  const value = values.findLast((one) => one !== null);
  return value === undefined ? "–" : say(value);
};

function summary(values, say) {
  const known = values.filter((value) => value !== null);
  return known.length ? `${say(known.at(-1))} now, between ${say(Math.min(...known))} and ${say(Math.max(...known))}` : "not known";
}

function clock(at, span) {
  const form = span > 86400 * 0.9 ? { weekday: "short", hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit", second: span < 600 ? "2-digit" : undefined };
  return new Date(at * 1000).toLocaleTimeString(undefined, form);
}
