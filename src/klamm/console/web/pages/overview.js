import { get, path } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { age, tiles, unread } from "../parts.js";
import { bytes, count } from "../words.js";
import { charts, history } from "./history.js";

class Overview extends Page {
  title() {
    return this.params.cluster;
  }

  async load(signal) {
    const here = path("clusters", this.params.cluster);
    const [one, past, wrong] = await Promise.all([get(here, { signal }), history(this, here, signal), get(`${here}/wrong`, { signal })]);
    return { one, past, wrong: wrong.findings.filter(({ severity }) => severity !== "notice").length };
  }

  view({ one, past, wrong }) {
    return [
      tiles(
        ["Wrong now", h("a", { href: `clusters/${encodeURIComponent(this.params.cluster)}/wrong` }, count(wrong)), wrong ? "bad" : "good"],
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
      charts(this, past),
      unread(one.seen),
      age(one.seen),
    ];
  }
}
customElements.define("klamm-overview", Overview);
