// Statistics of a topic's messages: begun, watched, shown.

import { get, post, remove } from "../api.js";
import { h } from "../dom.js";
import { button, table, tiles } from "../parts.js";
import { bytes, count, seconds, time } from "../words.js";

const NAMES = { done: "Done", failed: "Failed", cancelled: "Cancelled" };

export const statisticsOf = (page, signal) => get(`${page.api}/analysis`, { signal });

export function statistics(page, one) {
  const again = async (change) => {
    await change();
    await page.refresh();
  };
  const running = one.state === "running";
  return [
    h("div", { class: "tools", key: "analysis-tools" },
      !page.may("analysis_run") ? null : running
        ? button("Cancel", () => again(() => remove(`${page.api}/analysis`)), { kind: "danger" })
        : button(one.state === "none" ? "Look at all messages" : "Look again", () => again(() => post(`${page.api}/analysis`)), { kind: "main" }),
      running ? button("Refresh", () => page.refresh()) : null),
    one.state === "none" ? h("p", null, "Every message of the topic is read once. It can take long, and be cancelled.") : null,
    running ? h("p", { role: "status" }, h("progress", { value: one.passed, max: one.total || 1, "aria-label": "Looked at" }), ` ${count(one.messages)} messages`) : null,
    one.why ? h("p", { class: "problem" }, one.why) : null,
    one.ended ? h("p", { class: "age" }, `${NAMES[one.state] ?? one.state} at ${time(one.ended)}, after ${seconds((one.ended - one.begun) / 1000)}`) : null,
    one.unreadable ? h("p", { class: "problem" }, `${count(one.unreadable)} batches are broken and not counted.`) : null,
    one.result ? result(one.result) : null,
  ];
}

const about = ({ count: number, exact }) => `${exact ? "" : "about "}${count(number)}`;

function result(one) {
  const columns = [
    { name: "of", title: "Size of", cell: (row) => row.of },
    ...[["smallest", "Smallest"], ["p50", "Half below"], ["p75", "75 %"], ["p95", "95 %"], ["p99", "99 %"], ["p999", "99.9 %"], ["largest", "Largest"], ["mean", "Mean"], ["total", "All"]].map(([name, title]) => ({ name, title, number: true, cell: (row) => bytes(row[name]) })),
  ];
  const parts = [
    { name: "partition", title: "Partition", number: true, cell: (row) => row.partition },
    { name: "messages", title: "Messages", number: true, cell: (row) => count(row.messages) },
    { name: "bytes", title: "Keys and values", number: true, cell: (row) => bytes(row.bytes) },
    { name: "nullKeys", title: "Without key", number: true, cell: (row) => count(row.nullKeys) },
    { name: "nullValues", title: "Without value", number: true, cell: (row) => count(row.nullValues) },
  ];
  const hours = one.hours.slice(-72);
  const most = Math.max(1, ...hours.map((hour) => hour.messages));
  const timely = [
    { name: "begin", title: "Hour", cell: (row) => time(row.begin) },
    { name: "messages", title: "Messages", number: true, cell: (row) => count(row.messages) },
    { name: "bar", title: "", cell: (row) => h("meter", { value: row.messages, max: most, "aria-hidden": "true" }) },
  ];
  return h("section", { key: "analysis-result" },
    tiles(["Messages", count(one.messages)], ["Different keys", about(one.keys)], ["Different values", about(one.values)], ["Without key", count(one.nullKeys)], ["Without value", count(one.nullValues)], ["First", time(one.first)], ["Last", time(one.last)]),
    table("Sizes", columns, [{ of: "keys", ...one.keySizes }, { of: "values", ...one.valueSizes }], { key: (row) => row.of }),
    table("By partition", parts, one.partitions, { key: (row) => row.partition }),
    table(`Messages per hour${one.hours.length > hours.length ? " (the latest 72 hours)" : ""}`, timely, hours, { key: (row) => row.begin, empty: "No message has a time." }));
}
