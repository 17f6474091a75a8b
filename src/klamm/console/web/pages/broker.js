import { get, path } from "../api.js";
import { Page } from "../page.js";
import { age, table, tiles } from "../parts.js";
import { bytes, count } from "../words.js";
import { may } from "../who.js";
import { configs } from "./configs.js";
import { charts, history } from "./history.js";

class Broker extends Page {
  title() {
    return `Broker ${this.params.broker}`;
  }

  async load(signal) {
    const here = ["clusters", this.params.cluster, "brokers"];
    const [{ brokers, seen }, config, past] = await Promise.all([
      get(path(...here), { signal }),
      get(path(...here, this.params.broker, "configs"), { signal }),
      history(this, path(...here, this.params.broker), signal),
    ]);
    return { broker: brokers.find((one) => String(one.id) === this.params.broker), config, seen, past };
  }

  view({ broker, config, seen, past }) {
    if (!broker) return ["This broker is not there any more."];
    const columns = [
      { name: "path", title: "Directory", cell: (one) => one.path },
      { name: "used", title: "Logs", number: true, cell: (one) => bytes(one.used) },
      { name: "free", title: "Free on its volume", number: true, cell: (one) => bytes(one.free) },
      { name: "total", title: "Volume", number: true, cell: (one) => bytes(one.total) },
      { name: "topics", title: "Topics", number: true, cell: (one) => count(one.topics) },
    ];
    return [
      tiles(["Address", `${broker.host}:${broker.port}`], ["Rack", broker.rack ?? "–"], ["Partitions", count(broker.partitions)], ["Leaders", count(broker.leaders)]),
      charts(this, past),
      table("Log directories", columns, broker.dirs, { key: (one) => one.path }),
      configs(this, path("clusters", this.params.cluster, "brokers", this.params.broker, "configs"), config.entries, may(this.params.cluster, "clusterconfig", "edit")),
      age(seen),
    ];
  }
}
customElements.define("klamm-broker", Broker);
