// ACLs: the list, new ones, templates, CSV in and out, and why somebody may or may not do something.

import { get, path, post, query } from "../api.js";
import { h, tell } from "../dom.js";
import { Page } from "../page.js";
import { ask, confirm, evenIfManaged, managedBy, search, table, tabs } from "../parts.js";
import { may } from "../who.js";

const RESOURCES = ["TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"];
const OPERATIONS = ["READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "CLUSTER_ACTION", "DESCRIBE_CONFIGS", "ALTER_CONFIGS", "IDEMPOTENT_WRITE", "CREATE_TOKENS", "DESCRIBE_TOKENS"];
const options = (names) => names.map((name) => [name]);
const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const keyOf = (one) => [one.principal, one.resourceType, one.patternType, one.resourceName, one.operation, one.permission, one.host].join("\n");

const COLUMNS = [
  { name: "permission", title: "", cell: (one) => h("span", { class: one.permission === "DENY" ? "bad" : "" }, one.permission.toLowerCase()) },
  { name: "principal", title: "Principal", cell: (one) => one.principal },
  { name: "operation", title: "Operation", cell: (one) => one.operation },
  { name: "resource", title: "On", cell: (one) => [one.resourceType.toLowerCase().replace("_", " "), " ", h("code", null, one.resourceName), one.patternType === "PREFIXED" ? " and all that begin so" : ""] },
  { name: "host", title: "From", cell: (one) => (one.host === "*" ? "anywhere" : one.host) },
];

class Acls extends Page {
  static every = 30; // brokers hear of a change one after the other, and any may be asked

  title() {
    return "ACLs";
  }

  get api() {
    return path("clusters", this.params.cluster, "acls");
  }

  async load(signal) {
    const { tab, find: wanted = "", principal, operation = "READ", resourceType = "TOPIC", resourceName, host = "127.0.0.1", superUsers = "", allowIfNoAcl = "" } = this.words;
    if (tab !== "why") return get(`${this.api}${query({ search: wanted })}`, { signal });
    if (!principal || !resourceName) return {};
    return get(`${this.api}/decision${query({ principal, operation, resourceType, resourceName, host, superUsers, allowIfNoAcl })}`, { signal });
  }

  view(data) {
    const { tab = "list" } = this.words;
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/acls`;
    return [tabs(["Rules", here, tab === "list"], ["Why somebody may or may not", `${here}?tab=why`, tab === "why"]), h("div", { key: `tab-${tab}` }, tab === "why" ? this.why(data) : this.list(data))];
  }

  list({ acls = [], managed = {} }) {
    const { find: wanted = "" } = this.words;
    const mayEdit = may(this.params.cluster, "acl", "edit");
    const remove = (one) => h("button", { type: "button", class: "danger", "aria-label": `Delete: ${one.permission.toLowerCase()} ${one.principal} ${one.operation} on ${one.resourceName}`, onclick: () => this.delete([one]) }, "Delete");
    return [
      h("div", { class: "tools", key: "tools" },
        search("Search principals and names", wanted, (value) => this.say({ find: value })),
        mayEdit && [
          h("button", { type: "button", class: "main", onclick: () => this.create() }, "Create a rule"),
          h("button", { type: "button", onclick: () => this.template("consumer") }, "For a consumer"),
          h("button", { type: "button", onclick: () => this.template("producer") }, "For a producer"),
          h("button", { type: "button", onclick: () => this.template("streams") }, "For a Streams application"),
          h("button", { type: "button", onclick: () => this.upload() }, "From CSV"),
        ],
        h("a", { class: "action", href: `.${this.api}/csv`, download: "" }, "Download as CSV")),
      note(managed),
      table("Rules", mayEdit ? [...this.columns(managed), { name: "delete", title: "", cell: remove }] : this.columns(managed), acls, { key: keyOf, empty: "There is no rule." }),
    ];
  }

  /** With who manages a principal. */
  columns(managed) {
    return COLUMNS.map((one) => (one.name === "principal" ? { ...one, cell: ({ principal }) => [principal, managedBy(this.params.cluster, managed[principal])] } : one));
  }

  why({ allowed, why, by, others, remark }) {
    const { principal = "", operation = "READ", resourceType = "TOPIC", resourceName = "", host = "127.0.0.1", superUsers = "", allowIfNoAcl = "" } = this.words;
    const field = (name, label, input) => h("div", { class: "field" }, h("label", { for: `why-${name}` }, label), input);
    const text = (name, value, placeholder) => h("input", { id: `why-${name}`, name, value, placeholder, required: true, autocomplete: "off" });
    const choice = (name, value, all) => h("select", { id: `why-${name}`, name }, all.map((one) => h("option", { value: one, selected: one === value }, one)));
    const form = h("form", { class: "tools", key: "question", onsubmit: (event) => {
      event.preventDefault();
      this.say(Object.fromEntries(new FormData(event.target)));
    } },
      field("principal", "May", text("principal", principal, "User:anna")),
      field("host", "from", text("host", host)),
      field("operation", "do", choice("operation", operation, OPERATIONS)),
      field("resourceType", "to", choice("resourceType", resourceType, RESOURCES)),
      field("resourceName", "called", text("resourceName", resourceName, "orders")),
      field("superUsers", "super.users", h("input", { id: "why-superUsers", name: "superUsers", value: superUsers, placeholder: "User:admin;User:…", autocomplete: "off" })),
      field("allowIfNoAcl", "allow.everyone.if.no.acl.found", h("select", { id: "why-allowIfNoAcl", name: "allowIfNoAcl" }, [["", "not known"], ["false", "false"], ["true", "true"]].map(([value, title]) => h("option", { value, selected: value === allowIfNoAcl }, title)))),
      h("button", { type: "submit", class: "main" }, "Ask"));
    if (allowed === undefined) return [form, h("p", null, "Ask whether somebody may do something, as Kafka's authorizer decides it. Brokers keep super.users and allow.everyone.if.no.acl.found to themselves: say what they are set to, where you know it.")];
    return [
      form,
      h("section", { key: "answer", class: `decision ${allowed === null ? "" : allowed ? "good" : "bad"}`, role: "status" }, h("strong", null, allowed === null ? "Not known" : allowed ? "Allowed" : "Denied"), `: ${why}.`, remark ? h("p", null, remark) : null),
      by ? table("The rule that decided", COLUMNS, [by], { key: keyOf }) : null,
      others.length ? table("Other rules that speak of this", COLUMNS, others, { key: keyOf }) : null,
    ];
  }

  create() {
    const fields = [
      { name: "permission", label: "Permission", options: options(["ALLOW", "DENY"]) },
      { name: "principal", label: "Principal", required: true, placeholder: "User:anna", hint: "User:* is everybody." },
      { name: "operation", label: "Operation", options: options(["ALL", ...OPERATIONS]) },
      { name: "resourceType", label: "Kind of resource", options: options(RESOURCES) },
      { name: "resourceName", label: "Its name", required: true, hint: "* is all of them (literal). A cluster is called kafka-cluster." },
      { name: "patternType", label: "The name is", options: [["LITERAL", "exactly this"], ["PREFIXED", "the beginning of names"]] },
      { name: "host", label: "From", value: "*", required: true, hint: "An address, or * for anywhere." },
    ];
    ask("Create a rule", fields, "Create", async (rule) => {
      const done = await evenIfManaged((anyway) => post(this.api, { acls: [rule], anyway }));
      tell(said("The rule was created", done));
      await this.refresh();
    });
  }

  template(kind) {
    const title = { consumer: "What a consumer needs", producer: "What a producer needs", streams: "What a Streams application needs" }[kind];
    const fields = [
      { name: "principal", label: "Principal", required: true, placeholder: "User:anna" },
      { name: "host", label: "From", value: "*", required: true, hint: "An address, or * for anywhere." },
      { name: "topics", label: kind === "streams" ? "Topics that it reads" : "Topics", required: true, hint: "Several with commas." },
      kind === "streams" ? { name: "outputs", label: "Topics that it writes", hint: "Several with commas." } : null,
      kind === "streams" ? { name: "application", label: "application.id", required: true } : null,
      kind === "consumer" ? { name: "groups", label: "Groups", required: true, hint: "Several with commas." } : null,
      kind === "producer" ? { name: "transactionalIds", label: "Transactional ids", hint: "Empty: it makes no transactions." } : null,
      { name: "prefixed", label: "The names are beginnings of names", type: "checkbox" },
    ].filter(Boolean);
    ask(title, fields, "See the rules", async ({ principal, host, prefixed, application = "", ...names }) => {
      const lists = Object.fromEntries(Object.entries(names).map(([name, value]) => [name, words(value)]));
      const { acls } = await post(`${this.api}/template`, { kind, principal, host, prefixed, application, ...lists });
      this.sure(`${title}: ${acls.length} rules`, acls, "Create them", async () => {
        const done = await evenIfManaged((anyway) => post(this.api, { acls, anyway }));
        tell(said(`${acls.length} rules were created`, done));
        await this.refresh();
      });
    });
  }

  upload() {
    const fields = [
      { name: "csv", label: "CSV", type: "text-area", rows: 10, required: true, hint: "Principal,ResourceType,PatternType,ResourceName,Operation,PermissionType,Host" },
      { name: "sync", label: "Delete rules that it does not have", type: "checkbox" },
    ];
    ask("Rules from CSV", fields, "See what would change", async ({ csv, sync }) => {
      const { created, deleted, kept, managed } = await post(`${this.api}/csv`, { csv, sync, dryRun: true });
      const lines = [...created.map((one) => ({ ...one, what: "create" })), ...deleted.map((one) => ({ ...one, what: "delete" }))];
      this.sure(`${created.length} to create, ${deleted.length} to delete, ${kept} are there already`, lines, "Do it", async () => {
        await evenIfManaged((anyway) => post(`${this.api}/csv`, { csv, sync, dryRun: false, anyway }));
        tell(`${created.length} rules were created, ${deleted.length} deleted`);
        await this.refresh();
      }, managed);
    });
  }

  /** The rules once more, before it is done. */
  sure(title, acls, action, done, managed = {}) {
    const what = { name: "what", title: "Do", cell: (one) => h("span", { class: one.what === "delete" ? "bad" : "" }, one.what ?? "create") };
    const dialog = ask(title, [], action, done, { said: table("Rules", [what, ...this.columns(managed)], acls, { key: keyOf, empty: "Nothing would change." }) });
    dialog.classList.add("wide");
  }

  delete(acls) {
    const [one] = acls;
    confirm("Delete this rule?", `${one.permission.toLowerCase()} ${one.principal}: ${one.operation} on ${one.resourceType} ${one.resourceName}`, "Delete", async () => {
      const done = await evenIfManaged((anyway) => post(`${this.api}/deletions`, { acls, anyway }));
      tell(said("The rule was deleted", done));
      await this.refresh();
    });
  }
}
const said = (what, done) => (done?.said ? `${what}. ${done.said}.` : what);
const note = (managed) =>
  Object.keys(managed).length ? h("p", { key: "managed", class: "managed" }, "Rules of users that a KafkaUser manages stand in its spec.authorization.acls: what is changed here, its operator sets back.") : null;
customElements.define("klamm-acls", Acls);
