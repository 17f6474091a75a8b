import { get, path } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { age, table, unread } from "../parts.js";
import { bytes, count, percent } from "../words.js";
import { may } from "../who.js";
import { elections } from "./elections.js";

class Brokers extends Page {
  title() {
    return "Brokers";
  }

  load(signal) {
    return get(path("clusters", this.params.cluster, "brokers"), { signal });
  }

  view({ brokers, seen }) {
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/brokers`;
    const columns = [
      { name: "id", title: "Broker", cell: (one) => [h("a", { href: `${here}/${one.id}` }, one.id), one.controller ? h("small", { class: "tag" }, "controller") : ""] },
      { name: "host", title: "Address", cell: (one) => `${one.host}:${one.port}` },
      { name: "rack", title: "Rack", cell: (one) => one.rack ?? "–" },
      { name: "partitions", title: "Partitions", number: true, cell: (one) => count(one.partitions) },
      { name: "partitionsSkew", title: "Skew", number: true, cell: (one) => percent(one.partitionsSkew) },
      { name: "leaders", title: "Leaders", number: true, cell: (one) => count(one.leaders) },
      { name: "leadersSkew", title: "Skew", number: true, cell: (one) => percent(one.leadersSkew) },
      { name: "outOfSync", title: "Out of sync", number: true, cell: (one) => h("span", { class: one.outOfSync ? "bad" : "" }, count(one.outOfSync)) },
      { name: "bytes", title: "On disk", number: true, cell: (one) => bytes(one.bytes) },
    ];
    const file = h("a", { class: "action", href: `${path("clusters", this.params.cluster, "brokers").slice(1)}.csv`, download: "brokers.csv" }, "CSV");
    return [h("div", { class: "tools", key: "tools" }, may(this.params.cluster, "clusterconfig", "edit") ? elections(this, null) : null, file), table("Brokers", columns, brokers, { key: (one) => one.id }), unread(seen), age(seen)];
  }
}
customElements.define("klamm-brokers", Brokers);
