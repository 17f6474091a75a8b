// The controllers' quorum, and the features that the cluster has agreed on.

import { get, path } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { table, tiles } from "../parts.js";
import { count, seconds } from "../words.js";

class Quorum extends Page {
  title() {
    return "Quorum and features";
  }

  load(signal) {
    return get(path("clusters", this.params.cluster, "quorum"), { signal });
  }

  view(one) {
    const ofMembers = [
      { name: "id", title: "Node", number: true, cell: (member) => member.id },
      { name: "role", title: "Role", cell: (member) => h("span", { class: member.role === "leader" ? "state online" : "" }, member.role) },
      { name: "end", title: "Log end", number: true, cell: (member) => count(member.end) },
      { name: "lag", title: "Records behind", number: true, cell: (member) => count(member.lag) },
      { name: "behind", title: "Had all", number: true, cell: (member) => (member.role === "leader" ? "leads" : member.behind === null ? "not told" : `${seconds(member.behind)} ago`) },
      { name: "addresses", title: "Address", cell: (member) => member.addresses.join(", ") || "–" },
    ];
    const ofFeatures = [
      { name: "name", title: "Feature", cell: (feature) => h("code", null, feature.name) },
      { name: "level", title: "Agreed level", number: true, cell: (feature) => (feature.level === null ? "off" : feature.level) },
      { name: "range", title: "Brokers can", cell: (feature) => (feature.most === null ? "–" : `${feature.least} to ${feature.most}`) },
      { name: "more", title: "", cell: (feature) => (feature.level !== null && feature.most !== null && feature.level < feature.most ? "can be raised" : "") },
    ];
    return [
      one.kraft
        ? [
            tiles(["Leader", count(one.leader), one.leader === null ? "bad" : "good"], ["Epoch", count(one.epoch)], ["Agreed up to", count(one.highWatermark)], ["Voters", count(one.members.filter((member) => member.role !== "observer").length)]),
            table("Members", ofMembers, one.members, { key: (member) => `${member.role} ${member.id}` }),
          ]
        : h("p", { key: "zookeeper" }, "Controllers of this cluster are elected with ZooKeeper: there is no quorum."),
      table("Features", ofFeatures, one.features, { key: (feature) => feature.name, empty: "Brokers tell of none." }),
    ];
  }
}
customElements.define("klamm-quorum", Quorum);
