import { get, patch, path, query, remove } from "../api.js";
import { go } from "../console.js";
import { h, tell } from "../dom.js";
import { Page } from "../page.js";
import { age, ask, confirm, table, tabs, tiles } from "../parts.js";
import { bytes, count, seconds } from "../words.js";
import { may } from "../who.js";
import { configs } from "./configs.js";
import { managed, resourceOf } from "./managed.js";
import { charts, history } from "./history.js";
import { elections } from "./elections.js";
import { changes, moving, underWay } from "./topic-changes.js";
import { statistics, statisticsOf } from "./topic-statistics.js";

class Topic extends Page {
  title() {
    return this.params.topic;
  }

  get api() {
    return path("clusters", this.params.cluster, "topics", this.params.topic);
  }

  may(action) {
    return may(this.params.cluster, "topic", action, this.params.topic);
  }

  async load(signal) {
    const { tab = "partitions" } = this.words;
    const [topic, more, resource, moves] = await Promise.all([get(this.api, { signal }), this.more(tab, signal), resourceOf(this.api, signal), underWay(this, signal)]);
    return { ...topic, more, resource, moves };
  }

  more(tab, signal) {
    if (tab === "statistics") return statisticsOf(this, signal);
    if (tab === "config") return get(`${this.api}/config`, { signal });
    if (tab === "groups") return get(`${path("clusters", this.params.cluster, "consumer-groups")}${query({ topic: this.params.topic, perPage: 500 })}`, { signal });
    if (tab === "history") return history(this, this.api, signal);
    return null;
  }

  view({ topic, partitions, more, resource, moves, seen }) {
    const { tab = "partitions" } = this.words;
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/topics/${encodeURIComponent(this.params.topic)}`;
    const link = (name, title) => [title, `${here}?tab=${name}`, tab === name];
    return [
      tiles(
        ["Partitions", count(topic.partitions)],
        ["Replicas", count(topic.replicationFactor)],
        ["Out of sync", count(topic.outOfSync), topic.outOfSync ? "bad" : "good"],
        ["Messages", count(topic.messages)],
        ["On disk", bytes(topic.bytes)],
      ),
      managed(resource, here.split("/topics/")[0]),
      h("div", { class: "tools", key: "tools" },
        this.may("edit") ? h("button", { type: "button", onclick: () => this.grow(topic) }, "More partitions") : null,
        changes(this, topic),
        this.may("edit") ? elections(this, this.params.topic) : null,
        this.may("delete") ? h("button", { type: "button", class: "danger", onclick: () => this.delete() }, "Delete") : null),
      moving(this, moves),
      tabs(link("partitions", "Partitions"), ["Messages", `${here}/messages`, false], link("config", "Configuration"), link("groups", "Groups"), link("history", "History"), link("statistics", "Statistics")),
      h("div", { key: `tab-${tab}` }, tab === "config" && more ? configs(this, `${this.api}/config`, more.entries, this.may("edit")) : tab === "groups" && more ? this.groups(more.groups) : tab === "history" ? charts(this, more) : tab === "statistics" && more ? statistics(this, more) : this.partitions(partitions)),
      age(seen),
    ];
  }

  partitions(partitions) {
    const columns = [
      { name: "id", title: "Partition", number: true, cell: (one) => one.id },
      { name: "leader", title: "Leader", number: true, cell: (one) => (one.leader === null ? h("span", { class: "bad" }, "none") : [one.leader, one.preferred ? "" : h("small", { class: "tag" }, "not the preferred one")]) },
      { name: "replicas", title: "Replicas", cell: (one) => one.replicas.map((id) => h("span", { class: one.inSync.includes(id) ? "replica" : "replica bad", title: one.inSync.includes(id) ? "in sync" : "out of sync" }, id)) },
      { name: "earliest", title: "First offset", number: true, cell: (one) => count(one.earliest) },
      { name: "latest", title: "End", number: true, cell: (one) => count(one.latest) },
    ];
    return table("Partitions", columns, partitions, { key: (one) => one.id });
  }

  groups(groups) {
    const columns = [
      { name: "name", title: "Group", cell: (one) => h("a", { href: `clusters/${encodeURIComponent(this.params.cluster)}/groups/${encodeURIComponent(one.name)}` }, one.name) },
      { name: "state", title: "State", cell: (one) => one.state },
      { name: "lag", title: "Lag (all its topics)", number: true, cell: (one) => count(one.lag) },
      { name: "lagSeconds", title: "Lag in time", number: true, cell: (one) => seconds(one.lagSeconds) },
    ];
    return table("Groups that read this topic", columns, groups, { key: (one) => one.name, empty: "No group has committed anything here." });
  }

  grow(topic) {
    const fields = [{ name: "partitions", label: "Partitions in all", type: "number", min: topic.partitions + 1, value: topic.partitions + 1, required: true, hint: "Keys may come to other partitions than before; it cannot be undone." }];
    ask("More partitions", fields, "Add", async (values) => {
      const done = await patch(`${this.api}/partitions`, values);
      tell(done?.said ?? "Partitions were added");
      await this.refresh();
    });
  }

  delete() {
    confirm(`Delete topic ${this.params.topic}?`, "All its messages go with it. It cannot be undone.", "Delete", async () => {
      const done = await remove(this.api);
      tell(done?.said ?? `Topic ${this.params.topic} was deleted`);
      await go(`clusters/${encodeURIComponent(this.params.cluster)}/topics`);
    });
  }
}
customElements.define("klamm-topic", Topic);
