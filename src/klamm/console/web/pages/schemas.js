import { get, path, post, put, query } from "../api.js";
import { go } from "../console.js";
import { h, tell } from "../dom.js";
import { Page } from "../page.js";
import { ask, button, pager, search, table } from "../parts.js";
import { may } from "../who.js";
import { LEVELS, levelField, schemaFields } from "./schema-form.js";

class Schemas extends Page {
  static every = 0;

  title() {
    return "Schemas";
  }

  load(signal) {
    const { page = 1, search: wanted = "", order = "ASC" } = this.words;
    return get(`${path("clusters", this.params.cluster, "schemas")}${query({ page, search: wanted, order, perPage: 25 })}`, { signal });
  }

  view(data) {
    if (!data) return [];
    const { page = 1, search: wanted = "", order = "ASC" } = this.words;
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/schemas`;
    const columns = [
      { name: "subject", title: "Subject", cell: (one) => h("a", { href: `${here}/${encodeURIComponent(one.subject)}` }, one.subject) },
      { name: "version", title: "Latest version", number: true, sort: false, cell: (one) => one.version ?? "–" },
      { name: "id", title: "Id", number: true, sort: false, cell: (one) => one.id ?? "–" },
      { name: "schemaType", title: "Type", sort: false, cell: (one) => (one.why ? h("span", { class: "bad" }, one.why) : one.schemaType) },
    ];
    return [
      h("div", { class: "tools", key: "tools" },
        search("Search subjects", wanted, (value) => this.say({ search: value, page: "" })),
        may(this.params.cluster, "schema", "create") ? button("Create a schema", () => this.create(), { kind: "main" }) : null,
        button(`Compatibility: ${data.compatibility ?? "not told"}`, () => this.level(data.compatibility), { title: "What must fit in subjects that say nothing else", disabled: !may(this.params.cluster, "schema", "modify_global_compatibility") }),
        button("Refresh", () => this.refresh())),
      table("Subjects of the schema registry", columns, data.subjects, { key: (one) => one.subject, empty: "There is no subject.", order: { sort: "subject", order, by: (_, way) => this.say({ order: way, page: "" }) } }),
      pager(Number(page), data.pages, data.total, (to) => this.say({ page: to })),
    ];
  }

  create() {
    const fields = [{ name: "subject", label: "Subject", required: true, hint: "Serializers look for <topic>-key and <topic>-value." }, ...schemaFields()];
    ask("Create a schema", fields, "Create", async (values) => {
      const { id } = await post(path("clusters", this.params.cluster, "schemas"), values);
      tell(`Schema ${id} is registered under ${values.subject}`);
      await go(`clusters/${encodeURIComponent(this.params.cluster)}/schemas/${encodeURIComponent(values.subject)}`);
    });
  }

  level(current) {
    ask("Compatibility of all subjects", [levelField(current ?? LEVELS[0])], "Change", async (values) => {
      await put(path("clusters", this.params.cluster, "schemas-compatibility"), values);
      tell(`New versions must be ${values.compatibility}`);
      await this.refresh();
    }, { said: h("p", null, "It holds for subjects that have no level of their own.") });
  }
}
customElements.define("klamm-schemas", Schemas);
