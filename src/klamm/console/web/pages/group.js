import { get, path } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { age, table, tiles } from "../parts.js";
import { count, seconds } from "../words.js";
import { charts, history } from "./history.js";
import { deeds, forgetTopic, undoList, undosOf } from "./resets.js";

class Group extends Page {
  title() {
    return this.params.group;
  }

  async load(signal) {
    const here = path("clusters", this.params.cluster, "consumer-groups", this.params.group);
    const [group, undos, past] = await Promise.all([get(here, { signal }), undosOf(this, signal), history(this, here, signal)]);
    return { ...group, undos: undos.resets, past };
  }

  view({ group, members, offsets, hidden, undos, seen, past }) {
    const topic = (name) => h("a", { href: `clusters/${encodeURIComponent(this.params.cluster)}/topics/${encodeURIComponent(name)}` }, name);
    const firstOf = Object.fromEntries([...offsets].reverse().map((one) => [one.topic, one]));
    const ofOffsets = [
      { name: "topic", title: "Topic", cell: (one) => topic(one.topic) },
      { name: "partition", title: "Partition", number: true, cell: (one) => one.partition },
      { name: "committed", title: "Committed", number: true, cell: (one) => count(one.committed) },
      { name: "latest", title: "End", number: true, cell: (one) => count(one.latest) },
      { name: "lag", title: "Lag", number: true, cell: (one) => (one.beyond === null ? count(one.lag) : h("span", { class: "bad" }, `${count(one.beyond)} beyond the end`)) },
      { name: "lagSeconds", title: "Lag in time", number: true, cell: (one) => seconds(one.lagSeconds) },
      { name: "member", title: "Member", cell: (one) => one.member ?? "–" },
      { name: "forget", title: "", cell: (one) => (one === firstOf[one.topic] ? forgetTopic(this, one.topic) : "") },
    ];
    const ofMembers = [
      { name: "id", title: "Member", cell: (one) => one.id },
      { name: "clientId", title: "Client", cell: (one) => one.clientId },
      { name: "host", title: "Host", cell: (one) => one.host },
      { name: "assigned", title: "Partitions", cell: (one) => Object.entries(one.assigned).map(([name, ids]) => h("div", null, topic(name), `: ${ids.join(", ")}`)) },
    ];
    return [
      tiles(["State", group.state], ["Type", group.type], ["Assignment", group.protocol || "–"], ["Coordinator", count(group.coordinator)], ["Members", count(group.members)], ["Lag", count(group.lag)], ["Lag in time", seconds(group.lagSeconds)], ["Gone in", group.lag ? seconds(group.goneIn) : "–"]),
      deeds(this, group, offsets),
      charts(this, past),
      table("Offsets", ofOffsets, offsets, { key: (one) => `${one.topic}-${one.partition}`, empty: "Nothing is committed." }),
      hidden ? h("p", { key: "hidden" }, hidden === 1 ? "One topic is left out: you may not view it." : `${count(hidden)} topics are left out: you may not view them.`) : null,
      undoList(this, undos),
      table("Members", ofMembers, members, { key: (one) => one.id, empty: "Nobody is in this group now." }),
      age(seen),
    ];
  }
}
customElements.define("klamm-group", Group);
