import { get, path, post, query } from "../api.js";
import { h, tell } from "../dom.js";
import { Page } from "../page.js";
import { age, ask, pager, search, table, unread } from "../parts.js";
import { bytes, count } from "../words.js";
import { may } from "../who.js";

class Topics extends Page {
  title() {
    return "Topics";
  }

  load(signal) {
    const { page = 1, search: wanted = "", sort = "name", order = "ASC", showInternal = "" } = this.words;
    return get(`${path("clusters", this.params.cluster, "topics")}${query({ page, search: wanted, sort, order, showInternal, perPage: 50 })}`, { signal });
  }

  view({ topics, total, pages, seen }) {
    const { page = 1, search: wanted = "", sort = "name", order = "ASC", showInternal = "" } = this.words;
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/topics`;
    const columns = [
      { name: "name", title: "Topic", cell: (one) => [h("a", { href: `${here}/${encodeURIComponent(one.name)}` }, one.name), one.internal ? h("small", { class: "tag" }, "internal") : ""] },
      { name: "partitions", title: "Partitions", number: true, cell: (one) => count(one.partitions) },
      { name: "replicationFactor", title: "Replicas", number: true, cell: (one) => count(one.replicationFactor) },
      { name: "outOfSync", title: "Out of sync", number: true, cell: (one) => h("span", { class: one.outOfSync ? "bad" : "" }, count(one.outOfSync)) },
      { name: "messages", title: "Messages", number: true, cell: (one) => count(one.messages) },
      { name: "bytes", title: "On disk", number: true, cell: (one) => bytes(one.bytes) },
      { name: "groups", title: "Groups", number: true, cell: (one) => count(one.groups) },
    ];
    return [
      h("div", { class: "tools", key: "tools" },
        search("Search topics", wanted, (value) => this.say({ search: value, page: "" })),
        h("label", null, h("input", { type: "checkbox", checked: Boolean(showInternal), onchange: (event) => this.say({ showInternal: event.target.checked ? "true" : "", page: "" }) }), " internal ones, too"),
        may(this.params.cluster, "topic", "create") ? h("button", { type: "button", class: "main", onclick: () => this.create() }, "Create a topic") : null,
        h("a", { class: "action", href: `${path("clusters", this.params.cluster, "topics").slice(1)}.csv${query({ search: wanted, sort, order, showInternal })}`, download: "topics.csv" }, "CSV")),
      table("Topics", columns, topics, { key: (one) => one.name, order: { sort, order, by: (by, way) => this.say({ sort: by, order: way, page: "" }) } }),
      pager(Number(page), pages, total, (to) => this.say({ page: to })),
      unread(seen),
      age(seen),
    ];
  }

  create() {
    const fields = [
      { name: "name", label: "Name", required: true },
      { name: "partitions", label: "Partitions", type: "number", min: 1, hint: "Empty: the brokers' default." },
      { name: "replicationFactor", label: "Replicas", type: "number", min: 1, hint: "Empty: the brokers' default." },
      { name: "configs", label: "Configuration", type: "text-area", rows: 3, hint: "A line each: retention.ms=3600000" },
    ];
    ask("Create a topic", fields, "Create", async (values) => {
      const configs = Object.fromEntries(values.configs.split("\n").filter((line) => line.trim()).map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()]));
      await post(path("clusters", this.params.cluster, "topics"), { ...values, configs });
      tell(`Topic ${values.name} was created`);
      await this.refresh();
    });
  }
}
customElements.define("klamm-topics", Topics);
