import { get, path, post, put, query, remove } from "../api.js";
import { go } from "../console.js";
import { h, tell } from "../dom.js";
import { Page } from "../page.js";
import { ask, button, confirm, tabs, tiles } from "../parts.js";
import { may } from "../who.js";
import { levelField, LEVELS, schemaFields } from "./schema-form.js";

class Schema extends Page {
  static every = 0;

  title() {
    return this.params.subject;
  }

  get api() {
    return path("clusters", this.params.cluster, "schemas", this.params.subject);
  }

  may(action) {
    return may(this.params.cluster, "schema", action, this.params.subject);
  }

  get here() {
    return `clusters/${encodeURIComponent(this.params.cluster)}/schemas/${encodeURIComponent(this.params.subject)}`;
  }

  async load(signal) {
    const { version = "", tab, old } = this.words;
    const shown = await get(`${this.api}${query({ version })}`, { signal });
    const before = Number(old ?? shown.versions.filter((one) => one < shown.version.version).at(-1));
    const compares = tab === "diff" && before;
    return { ...shown, before, diff: compares ? await get(`${this.api}/diff${query({ old: before, new: shown.version.version })}`, { signal }) : null };
  }

  view(data) {
    if (!data) return [];
    const { tab = "schema" } = this.words;
    const { version, versions, compatibility } = data;
    const link = (name, title) => [title, `${this.here}${query({ version: this.words.version, tab: name })}`, tab === name];
    return [
      tiles(["Version", version.version], ["Id", version.id], ["Type", version.schemaType], ["Compatibility", compatibility ?? "as all"]),
      h("div", { class: "tools", key: "tools" },
        h("label", { class: "search" }, h("span", null, "Version"), this.choice(versions, version.version, (value) => this.say({ version: value, old: "" }))),
        this.may("create") ? button("New version", () => this.create(version), { kind: "main" }) : null,
        button("Would it fit?", () => this.check(version)),
        this.may("edit") ? button("Compatibility", () => this.level(compatibility)) : null,
        !this.may("delete") ? null : [button(`Delete version ${version.version}`, () => this.deleteVersion(version.version), { kind: "danger" }),
        button("Delete the subject", () => this.delete(), { kind: "danger" })]),
      tabs(link("schema", "Schema"), versions.length > 1 ? link("diff", "Differences") : null),
      h("div", { key: `tab-${tab}` }, tab === "diff" ? this.diff(data) : [h("pre", { class: "schema", tabindex: "0", "aria-label": "Schema" }, data.shown), this.references(version.references ?? [])]),
    ];
  }

  choice(versions, current, changed) {
    return h("select", { onchange: (event) => changed(event.target.value), value: String(current) }, versions.map((one) => h("option", { value: one, selected: one === current }, one)));
  }

  references(references) {
    if (!references.length) return null;
    const link = (one) => `clusters/${encodeURIComponent(this.params.cluster)}/schemas/${encodeURIComponent(one.subject)}${query({ version: one.version })}`;
    return h("section", null, h("h2", null, "It refers to"), h("ul", null, references.map((one) => h("li", null, `${one.name}: `, h("a", { href: link(one) }, `${one.subject}, version ${one.version}`)))));
  }

  diff({ diff, before, version, versions }) {
    if (!diff) return h("p", null, "There is no earlier version.");
    const line = (one) => {
      const kind = one.old === null ? "added" : one.new === null ? "removed" : "same";
      const sign = { added: "+", removed: "−", same: " " }[kind];
      return h("tr", { class: kind }, h("td", { class: "number" }, one.old ?? ""), h("td", { class: "number" }, one.new ?? ""), h("td", null, h("span", { "aria-label": kind }, sign)), h("td", null, h("code", null, one.text)));
    };
    return [
      h("div", { class: "tools" }, h("label", { class: "search" }, h("span", null, "Compared with version"), this.choice(versions.filter((one) => one !== version.version), before, (value) => this.say({ old: value })))),
      h("div", { class: "table diff" }, h("table", null, h("caption", null, `Version ${before} and version ${version.version}`), h("thead", null, h("tr", null, ["Old", "New", "", "Line"].map((one) => h("th", { scope: "col" }, one)))), h("tbody", null, diff.lines.map(line)))),
    ];
  }

  create(version) {
    ask("New version", schemaFields(version.schema, version.schemaType), "Register", async (values) => {
      const { id } = await post(path("clusters", this.params.cluster, "schemas"), { subject: this.params.subject, references: version.references ?? [], ...values });
      tell(`Schema ${id} is registered`);
      await this.say({ version: "" });
    });
  }

  check(version) {
    ask("Would it fit?", schemaFields(version.schema, version.schemaType), "Check", async (values) => {
      const { fits, messages } = await post(`${this.api}/check`, { references: version.references ?? [], ...values });
      if (!fits) throw new Error(`It does not fit. ${messages.join(" ")}`);
      tell("It fits");
    });
  }

  level(current) {
    ask(`Compatibility of ${this.params.subject}`, [levelField(current ?? LEVELS[0])], "Change", async (values) => {
      await put(`${this.api}/compatibility`, values);
      tell(`New versions must be ${values.compatibility}`);
      await this.refresh();
    });
  }

  deleteVersion(version) {
    confirm(`Delete version ${version}?`, "Records that were written by it can be read as long as the registry keeps deleted schemas.", "Delete", async () => {
      await remove(`${this.api}${query({ version })}`);
      tell(`Version ${version} was deleted`);
      await this.say({ version: "", old: "" });
    });
  }

  delete() {
    confirm(`Delete subject ${this.params.subject}?`, "All its versions go with it.", "Delete", async () => {
      await remove(this.api);
      tell(`Subject ${this.params.subject} was deleted`);
      await go(`clusters/${encodeURIComponent(this.params.cluster)}/schemas`);
    });
  }
}
customElements.define("klamm-schema", Schema);
