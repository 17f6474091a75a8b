// The operator's view: resources and their conditions, pods, a roll under way, certificates, events. What a roll changes
// is sent by the server at once; the rest is asked for now and then.

import { follow, get, path } from "../api.js";
import { h, tell } from "../dom.js";
import { Page } from "../page.js";
import { table, tiles } from "../parts.js";
import { count } from "../words.js";
import { pods, roll } from "./roll.js";

class Operator extends Page {
  title() {
    return "Operator";
  }

  connectedCallback() {
    this.shownAgain = () => (document.hidden ? this.close() : this.refresh());
    document.addEventListener("visibilitychange", this.shownAgain); // browsers keep few connections for all tabs
    this.ticking = setInterval(() => this.data?.roll && !this.data.roll.ended && this.draw(), 1000);
    super.connectedCallback();
  }

  leave() {
    document.removeEventListener("visibilitychange", this.shownAgain);
    clearInterval(this.ticking);
    this.close();
  }

  close() {
    this.stop?.();
    this.stop = null;
  }

  async load(signal) {
    const here = path("clusters", this.params.cluster, "operator");
    const one = await get(here, { signal });
    if (!this.stop && !document.hidden && this.isConnected) this.stop = follow(`${here}/moving`, { moving: (now) => this.take(now) }, () => (this.stop = null));
    return { ...one, ...this.heard(one) };
  }

  /** The newer of an answer and what was sent meanwhile. */
  heard(now) {
    if (this.moving && Date.parse(this.moving.at) > Date.parse(now.at)) return this.moving;
    this.heardAt = performance.now();
    return (this.moving = { at: now.at, kafka: now.kafka, pods: now.pods, roll: now.roll });
  }

  take(now) {
    const before = this.data?.roll;
    const newest = this.heard(now);
    if (!this.data) return;
    this.data = { ...this.data, ...newest };
    if (before && !before.ended && newest.roll?.ended) tell(`The roll has ended: ${pods(newest.roll.pods.length)} as wanted, and ready.`);
    this.draw();
  }

  view(one) {
    const { kafka } = one;
    const ready = one.pods.filter((pod) => pod.ready).length;
    const soonest = one.certificates[0];
    const rolling = one.roll && !one.roll.ended;
    return [
      tiles(
        ["Kafka", `${kafka.namespace}/${kafka.name}`],
        ["State", kafka.state, rolling ? "" : state(kafka.state)],
        ["Version", one.version ?? "–"],
        ["Pods ready", `${ready} of ${one.pods.length}`, ready === one.pods.length ? "good" : "bad"],
        ["Topics' resources", count(one.topics), one.topicsNotReady.some((each) => each.state === "NotReady") ? "bad" : ""],
        ["Users' resources", count(one.users.length)],
        soonest ? ["First certificate ends in", `${soonest.days} days`, soonest.days < 7 ? "bad" : ""] : null,
      ),
      kafka.why && !rolling ? h("p", { key: "why", class: kafka.state === "NotReady" ? "problem" : "" }, kafka.why) : null,
      kafka.warnings.map((warning) => h("p", { key: warning, class: "bad" }, `Warning: ${warning}`)),
      roll(one.roll, (performance.now() - this.heardAt) / 1000, one.pods),
      this.pods(one.pods),
      resources("Node pools", one.pools),
      this.certificates(one.certificates),
      table("Listeners", [
        { name: "name", title: "Listener", cell: (each) => each.name },
        { name: "addresses", title: "Addresses", cell: (each) => each.addresses },
      ], one.listeners, { key: (each) => each.name }),
      resources("Users", one.users, (each) => h("a", { href: `clusters/${encodeURIComponent(this.params.cluster)}/acls?find=${encodeURIComponent(each.name)}`, title: "Its rules" }, each.name)),
      resources("Topics that are not ready", one.topicsNotReady, (each) => h("a", { href: `clusters/${encodeURIComponent(this.params.cluster)}/topics/${encodeURIComponent(each.about)}` }, each.name)),
      this.events(one.events),
      one.unread.length ? h("details", { key: "unread", class: "unread" }, h("summary", null, `${one.unread.length} things could not be read`), h("ul", null, one.unread.map((why) => h("li", null, why)))) : null,
    ];
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
