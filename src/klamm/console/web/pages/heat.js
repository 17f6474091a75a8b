// What lies where: brokers across, topics down, the darker the more. The same as a table for who cannot see it.

import { get, path, query } from "../api.js";
import { h, s } from "../dom.js";
import { Page } from "../page.js";
import { age, table, unread } from "../parts.js";
import { bytes, count } from "../words.js";

const NAMES = { bytes: "Bytes on disk", leaders: "Leaders", replicas: "Replicas" };
const WIDTH = 56;
const HEIGHT = 20;
const LEFT = 260;
const TOP = 24;

class Heat extends Page {
  static every = 30;

  title() {
    return "What lies where";
  }

  load(signal) {
    return get(`${path("clusters", this.params.cluster, "heat-map")}${query({ by: this.words.by })}`, { signal });
  }

  view({ by, brokers, rows, total, seen }) {
    const { as = "picture" } = this.words;
    const choice = (name, label, value, all) => h("label", { class: "search" }, h("span", null, label), h("select", { onchange: (event) => this.say({ [name]: event.target.value }) }, all.map(([one, title]) => h("option", { value: one, selected: one === value }, title))));
    const say = by === "bytes" ? bytes : count;
    return [
      h("div", { class: "tools", key: "tools" }, choice("by", "By", by, Object.entries(NAMES)), choice("as", "Shown as", as, [["picture", "a picture"], ["table", "a table"]])),
      h("div", { key: `as-${as}` }, as === "table" ? this.table(by, brokers, rows, say) : [this.picture(by, brokers, rows, say), legend(rows, say)]),
      rows.length < total ? h("p", { key: "more" }, `The ${count(rows.length)} topics with the most, of ${count(total)}.`) : null,
      unread(seen),
      age(seen),
    ];
  }

  picture(by, brokers, rows, say) {
    const most = Math.max(1, ...rows.flatMap((row) => row.values));
    const width = LEFT + brokers.length * WIDTH;
    const height = TOP + rows.length * HEIGHT;
    return h("div", { class: "table heat" },
      s("svg", { role: "img", width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": `${NAMES[by]} of ${rows.length} topics on ${brokers.length} brokers, as colours. Choose “a table” to read the numbers.` },
        brokers.map((broker, at) => s("text", { x: LEFT + (at + 0.5) * WIDTH, y: 16, "text-anchor": "middle" }, `broker ${broker}`.slice(0, 8))),
        rows.map((row, line) => [
          s("text", { x: LEFT - 8, y: TOP + line * HEIGHT + 14, "text-anchor": "end" }, row.topic.length > 34 ? `${row.topic.slice(0, 33)}…` : row.topic),
          row.values.map((value, at) =>
            s("rect", { x: LEFT + at * WIDTH, y: TOP + line * HEIGHT, width: WIDTH - 2, height: HEIGHT - 2, rx: 2, "fill-opacity": value ? 0.12 + 0.88 * Math.sqrt(value / most) : 0.03 },
              s("title", null, `${row.topic} on broker ${brokers[at]}: ${say(value)}`))),
        ])));
  }

  table(by, brokers, rows, say) {
    const topic = (row) => h("a", { href: `clusters/${encodeURIComponent(this.params.cluster)}/topics/${encodeURIComponent(row.topic)}` }, row.topic);
    const columns = [
      { name: "topic", title: "Topic", cell: topic },
      ...brokers.map((broker, at) => ({ name: `b${broker}`, title: `Broker ${broker}`, number: true, cell: (row) => say(row.values[at]) })),
    ];
    const sums = brokers.map((_, at) => rows.reduce((sum, row) => sum + row.values[at], 0));
    return [table(`${NAMES[by]} by topic and broker`, columns, rows, { key: (row) => row.topic }), h("p", null, "Sums: ", brokers.map((broker, at) => `broker ${broker}: ${say(sums[at])}`).join(", "))];
  }
}

function legend(rows, say) {
  const most = Math.max(0, ...rows.flatMap((row) => row.values));
  return h("p", { class: "age" }, `Palest: nothing. Darkest: ${say(most)}. Point at a field to read it.`);
}
customElements.define("klamm-heat", Heat);
