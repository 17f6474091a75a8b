// Charts of the last hours, as parts of other pages.

import { get, query } from "../api.js";
import { chart } from "../chart.js";
import { h } from "../dom.js";
import { bytes, count, seconds } from "../words.js";

const CHARTS = [
  ["Messages written a second", ["messagesIn"], (value) => (value < 10 ? value.toFixed(1) : count(Math.round(value)))],
  ["Lag in records", ["lag"], (value) => count(Math.round(value))],
  ["Lag in time", ["lagSeconds"], seconds],
  ["On disk", ["bytes"], bytes],
  ["Partitions in trouble", ["underReplicated", "offline"], (value) => count(Math.round(value))],
  ["Replicas out of sync", ["outOfSync"], (value) => count(Math.round(value))],
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
