// Two brokers' configurations, two clusters' topics: only what differs.

import { get, path, query } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { search, table, tabs } from "../parts.js";
import { count } from "../words.js";

class Compare extends Page {
  static every = 0;

  title() {
    return "Compare";
  }

  async load(signal) {
    const { cluster } = this.params;
    const { what = "brokers", other, one, search: wanted = "" } = this.words;
    if (what === "topics") {
      const { clusters } = await get("api/clusters", { signal });
      const others = clusters.map(({ name }) => name).filter((name) => name !== cluster);
      const chosen = other ?? others[0];
      return { what, others, chosen, apart: chosen ? await get(`${path("clusters", cluster, "compare", "topics")}${query({ other: chosen, search: wanted })}`, { signal }) : null };
    }
    const { brokers } = await get(path("clusters", cluster, "brokers"), { signal });
    const ids = brokers.map(({ id }) => String(id));
    const [first, second] = [one ?? ids[0], other ?? ids[1]];
    return { what, ids, first, second, apart: second ? await get(`${path("clusters", cluster, "compare", "brokers")}${query({ one: first, other: second })}`, { signal }) : null };
  }

  view(data) {
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/compare`;
    return [
      tabs(["Brokers' configurations", here, data.what === "brokers"], ["Topics of two clusters", `${here}?what=topics`, data.what === "topics"]),
      h("div", { key: data.what }, data.what === "topics" ? this.topics(data) : this.brokers(data)),
    ];
  }

  brokers({ ids, first, second, apart }) {
    if (!apart) return h("p", null, "There is one broker only.");
    const { own = "" } = this.words;
    const shown = apart.differences.filter((one) => own || !one.own);
    return [
      h("div", { class: "tools" },
        choice("Broker", ids, first, (value) => this.say({ one: value })),
        choice("with broker", ids, second, (value) => this.say({ other: value })),
        h("label", null, h("input", { type: "checkbox", checked: Boolean(own), onchange: (event) => this.say({ own: event.target.checked ? "1" : "" }) }), " also what each has for itself (id, listeners, folders)")),
      table(`Where the configurations of broker ${first} and broker ${second} differ`, columns(`Broker ${first}`, `Broker ${second}`), shown, { key: (one) => one.name, empty: "They do not differ." }),
    ];
  }

  topics({ others, chosen, apart }) {
    if (!apart) return h("p", null, "This console knows no other cluster.");
    const { cluster } = this.params;
    const { search: wanted = "" } = this.words;
    const lines = apart.topics.flatMap(({ topic, differences }) => differences.map((one) => ({ ...one, topic })));
    const alone = (title, names) => h("details", { key: title, open: names.length > 0 && names.length <= 20 }, h("summary", null, `${title}: ${count(names.length)}`), h("ul", null, names.slice(0, 1000).map((name) => h("li", { key: name }, name))));
    return [
      h("div", { class: "tools" }, choice("With cluster", others, chosen, (value) => this.say({ other: value })), search("Search topics", wanted, (value) => this.say({ search: value }))),
      table(`Topics that ${cluster} and ${chosen} both have, and where they differ`, [{ name: "topic", title: "Topic", cell: (one) => one.topic }, ...columns(cluster, chosen)], lines, { key: (one) => `${one.topic} ${one.name}`, empty: `The ${count(apart.both)} topics that both have do not differ.` }),
      apart.whyNotMore ? h("p", { class: "problem" }, `Configurations were not compared: ${apart.whyNotMore}`) : apart.configsCompared < apart.both ? h("p", null, `Configurations of the first ${count(apart.configsCompared)} were compared; search for others.`) : null,
      alone(`Only in ${cluster}`, apart.onlyOne),
      alone(`Only in ${chosen}`, apart.onlyOther),
    ];
  }
}

const columns = (one, other) => [
  { name: "name", title: "What", cell: (line) => h("code", null, line.name) },
  { name: "one", title: one, cell: (line) => line.one ?? "–" },
  { name: "other", title: other, cell: (line) => line.other ?? "–" },
];

const choice = (label, options, value, changed) =>
  h("label", null, `${label} `, h("select", { onchange: (event) => changed(event.target.value) }, options.map((one) => h("option", { value: one, selected: one === value }, one))));
customElements.define("klamm-compare", Compare);
