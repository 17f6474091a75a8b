// Quotas of users, clients and addresses; users with SCRAM passwords. A password goes in and is never shown.

import { get, path, post, put, query, remove } from "../api.js";
import { h, tell } from "../dom.js";
import { Page, problem } from "../page.js";
import { ask, confirm, evenIfManaged, managedBy, table } from "../parts.js";
import { bytes, count } from "../words.js";
import { may } from "../who.js";

const LIMITS = [
  ["producer_byte_rate", "Bytes/s written", (value) => `${bytes(value)}/s`],
  ["consumer_byte_rate", "Bytes/s read", (value) => `${bytes(value)}/s`],
  ["request_percentage", "Threads' time", (value) => `${count(value)} %`],
  ["controller_mutation_rate", "Partitions made or deleted/s", (value) => `${count(value)}/s`],
];
const ADDRESS = [["connection_creation_rate", "New connections/s", (value) => `${count(value)}/s`]];
const KINDS = [["user", "user", "all other users"], ["clientId", "client", "all other clients"], ["ip", "address", "all other addresses"]];
const whose = (one) => KINDS.filter(([name]) => one[name] !== null && one[name] !== undefined).map(([name, kind, others]) => (one[name] === "" ? others : `${kind} ${one[name]}`)).join(", ");

class Quotas extends Page {
  static every = 10; // brokers hear of a change one after the other, and any may be asked

  title() {
    return "Quotas and users";
  }

  get api() {
    return path("clusters", this.params.cluster);
  }

  async load(signal) {
    const either = (promise) => promise.catch((error) => {
      if (error.name === "AbortError") throw error;
      return { failure: error };
    });
    const [quotas, users] = await Promise.all([either(get(`${this.api}/clientquotas`, { signal })), either(get(`${this.api}/scram-users`, { signal }))]);
    return { quotas, users };
  }

  view({ quotas, users }) {
    return [
      quotas.failure ? problem(quotas.failure) : this.quotas(quotas.quotas, quotas.managed),
      users.failure ? problem(users.failure) : this.users(users.users, users.managed),
    ];
  }

  /** A user leads to its rules. */
  user(name) {
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/acls`;
    return may(this.params.cluster, "acl", "view") ? h("a", { href: `${here}?find=${encodeURIComponent(`User:${name}`)}`, title: "Its rules" }, name) : name;
  }

  quotas(quotas, managed) {
    const mayEdit = may(this.params.cluster, "client_quotas", "edit");
    const limits = (one) => [...LIMITS, ...ADDRESS].filter(([name]) => one.limits[name] !== undefined).map(([name, title, say]) => h("div", null, `${title}: ${say(one.limits[name])}`));
    const columns = [
      { name: "whose", title: "Whose", cell: (one) => (one.user && one.clientId === null ? ["user ", this.user(one.user), managedBy(this.params.cluster, managed[one.user])] : whose(one)) },
      { name: "limits", title: "Limits", cell: limits },
      mayEdit && { name: "change", title: "", cell: (one) => h("div", { class: "deeds" }, h("button", { type: "button", onclick: () => this.change(one) }, "Change"), h("button", { type: "button", class: "danger", onclick: () => this.removeQuota(one) }, "Remove")) },
    ];
    return [
      mayEdit && h("div", { class: "tools", key: "quota-tools" },
        h("button", { type: "button", class: "main", onclick: () => this.create() }, "Set a quota for a user or client"),
        h("button", { type: "button", onclick: () => this.create(true) }, "Set a quota for an address")),
      table("Quotas", columns.filter(Boolean), quotas, { key: (one) => JSON.stringify([one.user, one.clientId, one.ip]), empty: "No quota is set." }),
    ];
  }

  users(users, managed) {
    const mayEdit = may(this.params.cluster, "acl", "edit");
    const columns = [
      { name: "user", title: "User", cell: (one) => [this.user(one.user), one.mechanism === "SCRAM-SHA-512" ? managedBy(this.params.cluster, managed[one.user]) : null] },
      { name: "mechanism", title: "Mechanism", cell: (one) => one.mechanism },
      { name: "iterations", title: "Iterations", number: true, cell: (one) => count(one.iterations) },
      mayEdit && { name: "change", title: "", cell: (one) => h("div", { class: "deeds" }, h("button", { type: "button", onclick: () => this.password(one) }, "New password"), h("button", { type: "button", class: "danger", onclick: () => this.removeUser(one) }, "Remove")) },
    ];
    return [
      mayEdit && h("div", { class: "tools", key: "user-tools" }, h("button", { type: "button", class: "main", onclick: () => this.password(null) }, "Set a user's password")),
      table("Users with a SCRAM password", columns.filter(Boolean), users, { key: (one) => `${one.user} ${one.mechanism}`, empty: "Nobody has one." }),
    ];
  }

  create(isAddress = false) {
    const who = isAddress
      ? [{ name: "ip", label: "Address", hint: "Empty: the default of all others." }]
      : [
          { name: "user", label: "User", hint: "Empty: no certain user. * is the default of all others." },
          { name: "clientId", label: "Client id", hint: "Empty: no certain client. * is the default of all others." },
        ];
    this.limits("Set a quota", who, {}, isAddress ? ADDRESS : LIMITS, (values) =>
      isAddress
        ? { ip: values.ip.trim() }
        : Object.fromEntries(["user", "clientId"].filter((name) => values[name].trim()).map((name) => [name, values[name].trim() === "*" ? "" : values[name].trim()])));
  }

  change(one) {
    const who = Object.fromEntries(["user", "clientId", "ip"].filter((name) => one[name] !== null).map((name) => [name, one[name]]));
    this.limits(`Change the quota of ${whose(one)}`, [], one.limits, one.ip === null ? LIMITS : ADDRESS, () => who);
  }

  limits(title, who, now, kinds, whoOf) {
    const fields = kinds.map(([name, label]) => ({ name, label, type: "number", min: 0, step: "any", value: now[name] ?? "", hint: "Empty: no limit." }));
    ask(title, [...who, ...fields], "Set", async (values) => {
      const limits = Object.fromEntries(kinds.map(([name]) => [name, values[name]]).filter(([name, value]) => value !== null || now[name] !== undefined));
      const done = await evenIfManaged((anyway) => post(`${this.api}/clientquotas`, { ...whoOf(values), limits, anyway }));
      tell(done?.said ?? "The quota was set");
      await this.refresh();
    });
  }

  removeQuota(one) {
    const limits = Object.fromEntries(Object.keys(one.limits).map((name) => [name, null]));
    const who = Object.fromEntries(["user", "clientId", "ip"].filter((name) => one[name] !== null).map((name) => [name, one[name]]));
    confirm("Remove this quota?", `${whose(one)}: no limits any more.`, "Remove", async () => {
      const done = await evenIfManaged((anyway) => post(`${this.api}/clientquotas`, { ...who, limits, anyway }));
      tell(done?.said ?? "The quota was removed");
      await this.refresh();
    });
  }

  password(one) {
    const fields = [
      one ? null : { name: "user", label: "User", required: true },
      { name: "password", label: "Password", type: "password", required: true, hint: "At least 8 characters. Nobody can read it again." },
      { name: "again", label: "Once more", type: "password", required: true },
      one ? null : { name: "mechanism", label: "Mechanism", options: [["SCRAM-SHA-512"], ["SCRAM-SHA-256"]] },
    ].filter(Boolean);
    ask(one ? `New password for ${one.user}` : "Set a user's password", fields, "Set", async ({ user, password, again, mechanism }) => {
      if (password !== again) throw new Error("The two passwords differ.");
      const wish = { password, mechanism: one?.mechanism ?? mechanism };
      const done = await evenIfManaged((anyway) => put(`${this.api}/scram-users/${encodeURIComponent(one?.user ?? user)}`, { ...wish, anyway }));
      tell(said(`The password of ${one?.user ?? user} was set`, done));
      await this.refresh();
    });
  }

  removeUser(one) {
    confirm(`Remove the password of ${one.user}?`, `${one.user} cannot log in with ${one.mechanism} any more.`, "Remove", async () => {
      const done = await evenIfManaged((anyway) => remove(`${this.api}/scram-users/${encodeURIComponent(one.user)}/${one.mechanism}${query({ anyway })}`));
      tell(said(`The password of ${one.user} was removed`, done));
      await this.refresh();
    });
  }
}
const said = (what, done) => (done?.said ? `${what}. ${done.said}.` : what);
customElements.define("klamm-quotas", Quotas);
