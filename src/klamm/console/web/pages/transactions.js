// Transactions: what coordinators know, what a topic's partitions hold, and those that hang and can be ended.

import { get, path, post, query } from "../api.js";
import { h, tell } from "../dom.js";
import { Page } from "../page.js";
import { confirm, table, tabs } from "../parts.js";
import { count, seconds } from "../words.js";
import { may } from "../who.js";

class Transactions extends Page {
  static every = 0;

  title() {
    return "Transactions";
  }

  get api() {
    return path("clusters", this.params.cluster);
  }

  load(signal) {
    const { tab, topic = "", minutes = "15", look } = this.words;
    if (tab === "hanging") return look ? get(`${this.api}/transactions/hanging${query({ topic, minutes })}`, { signal }) : null;
    if (tab === "producers") return topic ? get(`${this.api}/topics/${encodeURIComponent(topic)}/producers`, { signal }) : null;
    return get(`${this.api}/transactions`, { signal });
  }

  view(data) {
    const { tab = "list" } = this.words;
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/transactions`;
    const parts = { hanging: () => this.hanging(data), producers: () => this.producers(data), list: () => this.list(data) };
    return [
      tabs(["Transactions", here, tab === "list"], ["Hanging", `${here}?tab=hanging`, tab === "hanging"], ["Producers of a topic", `${here}?tab=producers`, tab === "producers"]),
      h("div", { key: `tab-${tab}` }, (parts[tab] ?? parts.list)()),
    ];
  }

  list(data) {
    if (!data?.transactions) return [];
    const columns = [
      { name: "id", title: "Transactional id", cell: (one) => one.id },
      { name: "state", title: "State", cell: (one) => one.state },
      { name: "producer", title: "Producer", number: true, cell: (one) => `${one.producerId}${one.producerEpoch === null ? "" : `, epoch ${one.producerEpoch}`}` },
      { name: "coordinator", title: "Coordinator", number: true, cell: (one) => one.coordinator },
      { name: "seconds", title: "Open for", number: true, cell: (one) => h("span", { class: one.seconds !== null && one.timeout !== null && one.seconds > one.timeout ? "bad" : "" }, seconds(one.seconds)) },
      { name: "timeout", title: "Timeout", number: true, cell: (one) => seconds(one.timeout) },
      { name: "partitions", title: "Partitions", cell: (one) => Object.entries(one.partitions).map(([topic, ids]) => h("div", null, `${topic}: ${ids.join(", ")}`)) },
    ];
    return [again(this), unread(data.unread), table("Transactions", columns, data.transactions, { key: (one) => one.id, empty: "There is no transaction." })];
  }

  hanging(data) {
    const { topic = "", minutes = "15" } = this.words;
    const form = ask("Look for them", [text("topic", "Topic", topic, "all"), h("div", { class: "field" }, h("label", { for: "tx-minutes" }, "Open for more than (minutes)"), h("input", { id: "tx-minutes", name: "minutes", type: "number", min: 1, value: minutes, required: true }))], (values) => this.say({ ...values, look: "1" }));
    const said = h("p", null, "A transaction hangs when a partition waits for its end and no coordinator knows of it: readers of committed records stop there for ever. Brokers are asked in which partitions one is open, and for the producers of those.");
    if (!data?.producers) return [form, said];
    const abort = { name: "abort", title: "", cell: (one) => may(this.params.cluster, "clusterconfig", "edit") && h("button", { type: "button", class: "danger", onclick: () => this.abort(one) }, "Abort") };
    return [form, unread(data.unread), table("Transactions that hang", [...COLUMNS.slice(0, 4), { name: "openSince", title: "Open since offset", number: true, cell: (one) => count(one.openSince) }, { name: "why", title: "Why", cell: (one) => one.why }, abort], data.producers, { key: keyOf, empty: "None hangs." })];
  }

  producers(data) {
    const { topic = "" } = this.words;
    const form = ask("Show", [text("topic", "Topic", topic, "", true)], (values) => this.say(values));
    if (!data?.producers) return [form, h("p", null, "Producers with an id: idempotent or transactional ones.")];
    return [form, unread(data.unread), table("Active producers", COLUMNS, data.producers, { key: keyOf, empty: "None is known: nobody wrote with idempotence of late." })];
  }

  abort(one) {
    confirm("Abort this transaction?", `What producer ${one.producerId} wrote to ${one.topic}-${one.partition} since offset ${one.openSince} is then skipped by readers of committed records, for ever. It cannot be undone.`, "Abort it", async () => {
      await post(`${this.api}/transactions/aborts`, { topic: one.topic, partition: one.partition, producerId: one.producerId, openSince: one.openSince });
      tell("The transaction was aborted");
      await this.refresh();
    });
  }
}

const keyOf = (one) => `${one.topic}-${one.partition}-${one.producerId}`;
const COLUMNS = [
  { name: "partition", title: "Partition", cell: (one) => `${one.topic}-${one.partition}` },
  { name: "producerId", title: "Producer", number: true, cell: (one) => one.producerId },
  { name: "producerEpoch", title: "Epoch", number: true, cell: (one) => one.producerEpoch },
  { name: "seconds", title: "Wrote last", number: true, cell: (one) => (one.seconds === null ? "–" : `${seconds(one.seconds)} ago`) },
  { name: "lastSequence", title: "Last sequence", number: true, cell: (one) => one.lastSequence },
  { name: "openSince", title: "Open transaction", cell: (one) => (one.openSince === null ? "none" : `since offset ${count(one.openSince)}`) },
];

const again = (page) => h("div", { class: "tools", key: "again" }, h("button", { type: "button", onclick: () => page.refresh() }, "Look again"));

const text = (name, label, value, placeholder, required = false) => h("div", { class: "field" }, h("label", { for: `tx-${name}` }, label), h("input", { id: `tx-${name}`, name, value, placeholder, required, autocomplete: "off" }));

function ask(action, fields, done) {
  return h("form", { class: "tools", key: "question", onsubmit: (event) => {
    event.preventDefault();
    done(Object.fromEntries(new FormData(event.target)));
  } }, fields, h("button", { type: "submit", class: "main" }, action));
}

function unread(whys) {
  return whys?.length ? h("div", { class: "problem", key: "unread", role: "alert" }, "Not everything could be read:", h("ul", null, whys.map((why) => h("li", null, why)))) : null;
}
customElements.define("klamm-transactions", Transactions);
