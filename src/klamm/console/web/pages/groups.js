import { get, path, query } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { age, pager, search, table, unread } from "../parts.js";
import { count, seconds } from "../words.js";

class Groups extends Page {
  title() {
    return "Groups";
  }

  load(signal) {
    const { page = 1, search: wanted = "", sort = "name", order = "ASC" } = this.words;
    return get(`${path("clusters", this.params.cluster, "consumer-groups")}${query({ page, search: wanted, sort, order, perPage: 50 })}`, { signal });
  }

  view({ groups, total, pages, seen }) {
    const { page = 1, search: wanted = "", sort = "name", order = "ASC" } = this.words;
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/groups`;
    const columns = [
      { name: "name", title: "Group", cell: (one) => h("a", { href: `${here}/${encodeURIComponent(one.name)}` }, one.name) },
      { name: "type", title: "Type", cell: (one) => one.type },
      { name: "state", title: "State", cell: (one) => one.state },
      { name: "members", title: "Members", number: true, cell: (one) => count(one.members) },
      { name: "topics", title: "Topics", number: true, cell: (one) => count(one.topics) },
      { name: "lag", title: "Lag", number: true, cell: (one) => count(one.lag) },
      { name: "lagSeconds", title: "Lag in time", number: true, cell: (one) => seconds(one.lagSeconds) },
      { name: "goneIn", title: "Gone in", number: true, cell: (one) => (one.lag ? seconds(one.goneIn) : "–") },
    ];
    return [
      h("div", { class: "tools", key: "tools" }, search("Search groups", wanted, (value) => this.say({ search: value, page: "" })),
        h("a", { class: "action", href: `${path("clusters", this.params.cluster, "consumer-groups").slice(1)}.csv${query({ search: wanted })}`, download: "groups.csv" }, "CSV")),
      table("Groups", columns, groups, { key: (one) => one.name, order: { sort, order, by: (by, way) => this.say({ sort: by, order: way, page: "" }) } }),
      pager(Number(page), pages, total, (to) => this.say({ page: to })),
      unread(seen),
      age(seen),
    ];
  }
}
customElements.define("klamm-groups", Groups);
