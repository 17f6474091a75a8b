import { get } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { table } from "../parts.js";
import { count } from "../words.js";

class Clusters extends Page {
  title() {
    return "Clusters";
  }

  load(signal) {
    return get("api/clusters", { signal });
  }

  view({ clusters }) {
    const columns = [
      { name: "name", title: "Name", cell: (one) => h("a", { href: `clusters/${encodeURIComponent(one.name)}` }, one.name) },
      { name: "status", title: "Status", cell: (one) => [h("span", { class: `state ${one.status}` }, one.status), one.readOnly ? " read-only" : "", one.why ? h("small", null, ` ${one.why}`) : ""] },
      { name: "brokerCount", title: "Brokers", number: true, cell: (one) => count(one.brokerCount) },
      { name: "topicCount", title: "Topics", number: true, cell: (one) => count(one.topicCount) },
      { name: "partitionCount", title: "Partitions", number: true, cell: (one) => count(one.partitionCount) },
      { name: "groupCount", title: "Groups", number: true, cell: (one) => count(one.groupCount) },
      { name: "underReplicated", title: "Under-replicated", number: true, cell: (one) => count(one.underReplicated) },
      { name: "offline", title: "Offline", number: true, cell: (one) => count(one.offline) },
    ];
    return [
      h("p", { key: "wrong" }, h("a", { href: "wrong" }, "What is wrong now, in all clusters")),
      table("Kafka clusters", columns, clusters, { key: (one) => one.name, empty: "No cluster is configured." }),
    ];
  }
}
customElements.define("klamm-clusters", Clusters);
