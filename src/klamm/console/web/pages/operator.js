// The operator's view: resources and their conditions, pods, a roll under way, certificates, events.

import { get, path } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { table, tiles } from "../parts.js";
import { count } from "../words.js";

class Operator extends Page {
  title() {
    return "Operator";
  }

  load(signal) {
    return get(path("clusters", this.params.cluster, "operator"), { signal });
  }

  view(one) {
    const { kafka } = one;
    const ready = one.pods.filter((pod) => pod.ready).length;
    const soonest = one.certificates[0];
    return [
      tiles(
        ["Kafka", `${kafka.namespace}/${kafka.name}`],
        ["State", kafka.state, state(kafka.state)],
        ["Version", one.version ?? "–"],
        ["Pods ready", `${ready} of ${one.pods.length}`, ready === one.pods.length ? "good" : "bad"],
        ["Topics' resources", count(one.topics), one.topicsNotReady.some((each) => each.state === "NotReady") ? "bad" : ""],
        ["Users' resources", count(one.users.length)],
        soonest ? ["First certificate ends in", `${soonest.days} days`, soonest.days < 7 ? "bad" : ""] : null,
      ),
      kafka.why ? h("p", { key: "why", class: kafka.state === "NotReady" ? "problem" : "" }, kafka.why) : null,
      kafka.warnings.map((warning) => h("p", { key: warning, class: "bad" }, `Warning: ${warning}`)),
      one.rolls.length ? this.rolls(one.rolls) : null,
      this.pods(one.pods),
      resources("Node pools", one.pools),
      this.certificates(one.certificates),
      table("Listeners", [
        { name: "name", title: "Listener", cell: (each) => each.name },
        { name: "addresses", title: "Addresses", cell: (each) => each.addresses },
      ], one.listeners, { key: (each) => each.name }),
      resources("Users", one.users),
      resources("Topics that are not ready", one.topicsNotReady, (each) => h("a", { href: `clusters/${encodeURIComponent(this.params.cluster)}/topics/${encodeURIComponent(each.about)}` }, each.name)),
      this.events(one.events),
      one.unread.length ? h("details", { key: "unread", class: "unread" }, h("summary", null, `${one.unread.length} things could not be read`), h("ul", null, one.unread.map((why) => h("li", null, why)))) : null,
    ];
  }

  rolls(rolls) {
    return table("A roll is under way", [
      { name: "pod", title: "Pod", cell: (one) => [one.pod, one.now ? h("small", { class: "tag" }, "restarting now") : ""] },
      { name: "why", title: "Why", cell: (one) => one.why.join("; ") },
    ], rolls, { key: (one) => one.pod });
  }

  pods(pods) {
    return table("Pods", [
      { name: "name", title: "Pod", cell: (one) => one.name },
      { name: "state", title: "State", cell: (one) => [h("span", { class: one.ready ? "" : "bad" }, one.state), one.why ? h("div", null, h("small", null, one.why)) : ""] },
      { name: "restarts", title: "Restarts", number: true, cell: (one) => count(one.restarts) },
      { name: "lastEnd", title: "Last end", cell: (one) => one.lastEnd ?? "–" },
      { name: "node", title: "Node", cell: (one) => one.node ?? "–" },
      { name: "since", title: "Since", cell: (one) => time(one.since) },
    ], pods, { key: (one) => one.name });
  }

  certificates(certificates) {
    return table("Certificates", [
      { name: "name", title: "Certificate", cell: (one) => one.commonName || "–" },
      { name: "secret", title: "Secret", cell: (one) => `${one.secret}: ${one.key}` },
      { name: "ends", title: "Good until", cell: (one) => time(one.ends) },
      { name: "days", title: "Days left", number: true, cell: (one) => h("span", { class: one.days < 7 ? "bad" : "" }, count(one.days)) },
    ], certificates, { key: (one) => `${one.secret} ${one.key}`, empty: "None could be read." });
  }

  events(events) {
    return table("Last events", [
      { name: "at", title: "When", cell: (one) => time(one.at) },
      { name: "about", title: "About", cell: (one) => one.about },
      { name: "reason", title: "What", cell: (one) => h("span", { class: one.type === "Warning" ? "bad" : "" }, one.reason) },
      { name: "message", title: "Message", cell: (one) => [one.message, one.count > 1 ? ` (${count(one.count)} times)` : ""] },
    ], events, { key: (one) => `${one.at} ${one.about} ${one.reason} ${one.message}`, empty: "There are none, or they are too old to be kept." });
  }
}

function resources(caption, all, name = (one) => one.name) {
  if (!all.length) return null;
  return table(caption, [
    { name: "name", title: "Name", cell: name },
    { name: "state", title: "State", cell: (one) => [h("span", { class: one.state === "NotReady" ? "bad" : "" }, one.state), one.why ? h("div", null, h("small", null, one.why)) : ""] },
    { name: "about", title: "About", cell: (one) => one.about || "–" },
  ], all, { key: (one) => `${one.namespace}/${one.name}` });
}

const state = (word) => ({ Ready: "good", NotReady: "bad" })[word] ?? "";
const time = (text) => (text ? new Date(text).toLocaleString() : "–");
customElements.define("klamm-operator", Operator);
