// A table of configuration with a field to search it and a dialog to change it; used by broker and topic.

import { patch } from "../api.js";
import { h, tell } from "../dom.js";
import { ask, search, table } from "../parts.js";

export function configs(page, address, entries, editable = true) {
  const { find = "", all = "" } = page.words;
  const shown = entries.filter((one) => one.name.includes(find.toLowerCase()) && (all || find || one.setHere));
  const columns = [
    { name: "name", title: "Key", cell: (one) => h("code", null, one.name) },
    { name: "value", title: "Value", cell: (one) => (one.sensitive ? "(hidden)" : (one.value ?? "–")) },
    { name: "setHere", title: "Set", cell: (one) => (one.setHere ? "here" : "default") },
    {
      name: "change",
      title: "",
      cell: (one) => (editable && !one.readOnly ? h("button", { type: "button", onclick: () => change(page, address, one) }, "Change") : ""),
    },
  ];
  return [
    h("div", { class: "tools", key: "config-tools" },
      search("Search keys", find, (value) => page.say({ find: value })),
      h("label", null, h("input", { type: "checkbox", checked: Boolean(all), onchange: (event) => page.say({ all: event.target.checked ? "1" : "" }) }), " defaults, too")),
    table("Configuration", columns, shown, { key: (one) => one.name, empty: "Nothing is set here; everything is as by default." }),
  ];
}

function change(page, address, one) {
  const fields = [
    { name: "value", label: one.name, value: one.sensitive ? "" : (one.value ?? ""), hint: one.setHere ? "Set here." : "The default holds." },
    { name: "reset", label: "Back to the default", type: "checkbox" },
  ];
  ask(`Change ${one.name}`, fields, "Change", async ({ value, reset }) => {
    const done = await patch(address, reset ? { delete: [one.name] } : { set: { [one.name]: value } });
    tell(done?.said ?? `${one.name} was changed`);
    await page.refresh();
  });
}
