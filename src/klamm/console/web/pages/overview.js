import { get, path } from "../api.js";
import { Page } from "../page.js";
import { age, tiles, unread } from "../parts.js";
import { bytes, count } from "../words.js";

class Overview extends Page {
  title() {
    return this.params.cluster;
  }

  load(signal) {
    return get(path("clusters", this.params.cluster), { signal });
  }

  view(one) {
    return [
      tiles(
        ["Brokers", count(one.brokerCount)],
        ["Controller", count(one.controller)],
        ["Topics", count(one.topicCount)],
        ["Partitions", count(one.partitionCount)],
        ["Under-replicated", count(one.underReplicated), one.underReplicated ? "bad" : "good"],
        ["Offline", count(one.offline), one.offline ? "bad" : "good"],
        ["Groups", count(one.groupCount)],
        ["Messages", count(one.messages)],
        ["On disk", bytes(one.bytes)],
      ),
      unread(one.seen),
      age(one.seen),
    ];
  }
}
customElements.define("klamm-overview", Overview);
