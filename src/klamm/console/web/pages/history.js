// Charts of the last hours, as parts of other pages.

import { get, query } from "../api.js";
import { chart } from "../chart.js";
import { h } from "../dom.js";
import { bytes, count, seconds } from "../words.js";

const number = (value) => (value < 10 && !Number.isInteger(value) ? value.toFixed(1) : count(Math.round(value)));
const CHARTS = [
  ["Messages written a second", ["messagesIn"], number],
  ["Lag in records", ["lag"], number],
  ["Lag in time", ["lagSeconds"], seconds],
  ["On disk", ["bytes"], bytes],
  ["Partitions in trouble", ["underReplicated", "offline"], number],
  ["Replicas out of sync", ["outOfSync"], number],
];
const TITLES = { messagesIn: "messages", lag: "records", lagSeconds: "oldest", bytes: "all replicas", underReplicated: "under-replicated", offline: "offline", outOfSync: "out of sync" };
const HOURS = [["1", "1 hour"], ["6", "6 hours"], ["24", "24 hours"]];

/** The history of what this address is about; null, if it cannot be had. */
export const history = (page, address, signal) =>
  get(`${address}/history${query({ hours: page.words.hours ?? 1 })}`, { signal }).catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });

export function charts(page, past) {
  if (!past) return null;
  const series = Object.fromEntries(past.series.map((one) => [one.name, one.values]));
  const choices = HOURS.filter(([hours]) => Number(hours) <= past.kept);
  const { hours = "1" } = page.words;
  const shown = CHARTS.filter(([, names]) => names.some((name) => name in series));
  return h("section", { key: "charts", "aria-label": "History" },
    h("div", { class: "tools" }, h("label", null, "History of ", h("select", { onchange: (event) => page.say({ hours: event.target.value === "1" ? "" : event.target.value }) }, choices.map(([value, title]) => h("option", { value, selected: value === hours }, title))))),
    h("div", { class: "charts" }, shown.map(([title, names, say]) => chart(title, past.times, names.filter((name) => name in series).map((name) => ({ title: TITLES[name], values: series[name] })), say))));
}
