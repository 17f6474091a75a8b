import { get, path, query } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { search, table } from "../parts.js";
import { time } from "../words.js";

class Audit extends Page {
  title() {
    return "Audit";
  }

  load(signal) {
    const { search: wanted = "" } = this.words;
    return get(`${path("clusters", this.params.cluster, "audit")}${query({ search: wanted, limit: 200 })}`, { signal });
  }

  view({ entries }) {
    const { search: wanted = "" } = this.words;
    const columns = [
      { name: "at", title: "When", cell: (one) => h("time", { datetime: new Date(one.at).toISOString() }, time(one.at)) },
      { name: "who", title: "Who", cell: (one) => [h("bdi", null, one.who), one.remote ? h("small", null, ` from ${one.remote}`) : ""] },
      { name: "what", title: "What", cell: (one) => one.what },
      { name: "object", title: "To what", cell: (one) => (one.object ? [one.resource ? `${one.resource} ` : "", h("bdi", null, one.object)] : "") },
      { name: "parameters", title: "How", cell: (one) => (one.parameters ? h("code", null, JSON.stringify(one.parameters)) : "") },
      { name: "outcome", title: "Outcome", cell: (one) => [h("span", { class: one.outcome === "ok" ? "good" : "bad" }, one.outcome), one.detail ? h("div", null, h("small", null, one.detail)) : ""] },
    ];
    return [
      h("div", { class: "tools", key: "tools" }, search("Search who, what, object, outcome", wanted, (value) => this.say({ search: value }))),
      table("What was done lately, newest first", columns, entries, { empty: "Nothing was changed since this console started." }),
    ];
  }
}
customElements.define("klamm-audit", Audit);
