// Parts of pages: tables, tiles, tabs, searches, forms, dialogs.

import { h, show, tell } from "./dom.js";
import { seconds } from "./words.js";

/**
 * A table. Columns: {name, title, cell(row), number, sort}. `order`: {sort, order, by(sort, order)} makes heads buttons.
 * The caption is for who cannot see it.
 */
export function table(caption, columns, rows, { key, order, empty = "There is none." } = {}) {
  const heads = columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : "", "aria-sort": sorted(column, order) }, head(column, order)));
  const lines = rows.map((row) =>
    h("tr", { key: key ? key(row) : undefined }, columns.map((column) => h("td", { class: column.number ? "number" : "" }, column.cell(row)))),
  );
  const none = h("tr", null, h("td", { colspan: columns.length, class: "none" }, empty));
  return h("div", { class: "table" }, h("table", null, h("caption", null, caption), h("thead", null, h("tr", null, heads)), h("tbody", null, lines.length ? lines : none)));
}

function sorted(column, order) {
  if (!order || order.sort !== column.name) return undefined;
  return order.order === "DESC" ? "descending" : "ascending";
}

function head(column, order) {
  if (!order || column.sort === false) return column.title;
  const next = order.sort === column.name && order.order !== "DESC" ? "DESC" : "ASC";
  return h("button", { type: "button", class: "head", onclick: () => order.by(column.name, next) }, column.title);
}

/** Which page of a long list; `go` takes its number. */
export function pager(page, pages, total, go) {
  return h(
    "div",
    { class: "pager", key: "pager" },
    h("button", { type: "button", disabled: page <= 1, onclick: () => go(page - 1) }, "Previous"),
    h("span", null, pages ? `page ${page} of ${pages}, ${total} in all` : "nothing found"),
    h("button", { type: "button", disabled: page >= pages, onclick: () => go(page + 1) }, "Next"),
  );
}

/** A field that searches while one types. */
export function search(label, value, changed) {
  let waiting;
  return h(
    "label",
    { class: "search", key: "search" },
    h("span", null, label),
    h("input", {
      type: "search",
      value,
      oninput: (event) => {
        clearTimeout(waiting);
        const { value: typed } = event.target;
        waiting = setTimeout(() => changed(typed), 200);
      },
    }),
  );
}

/** Numbers at a glance: [name, value, state] with state "", "good" or "bad". */
export const tiles = (...values) => h("dl", { class: "tiles" }, values.filter(Boolean).map(([name, value, state]) => h("div", { class: state ?? "" }, h("dt", null, name), h("dd", null, value))));

/** Tabs as links, so that each has an address. */
export const tabs = (...entries) =>
  h("nav", { class: "tabs", "aria-label": "Parts", key: "tabs" }, entries.filter(Boolean).map(([name, href, current]) => h("a", { href, "aria-current": current ? "page" : undefined }, name)));

/** What is not as fresh as it should be. */
export function unread(seen) {
  if (!seen?.unread?.length) return null;
  const lines = seen.unread.map((one) => h("li", null, `${one.what}${one.broker === undefined ? "" : ` of broker ${one.broker}`}: ${one.why}`, one.age === undefined ? "" : ` (shown as it was ${seconds(one.age)} ago)`));
  return h("details", { class: "unread", key: "unread" }, h("summary", null, `${lines.length} parts could not be read`), h("ul", null, lines));
}

export const age = (seen) => h("p", { class: "age", key: "age" }, `as of ${seconds(seen.age)} ago`);

/**
 * A dialog with a form. Fields: {name, label, type, value, required, hint, options}. `done` gets the values and may
 * throw a Problem, which is shown at the form, and nothing that was typed is lost.
 */
export function ask(title, fields, action, done, { danger = false, said = null } = {}) {
  const wrong = h("p", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: danger ? "danger" : "main" }, action);
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title", onclose: () => dialog.remove() },
    h(
      "form",
      {
        method: "dialog",
        onsubmit: async (event) => {
          event.preventDefault();
          button.disabled = true;
          wrong.hidden = true;
          try {
            await done(valuesOf(event.target, fields));
            dialog.close();
          } catch (error) {
            wrong.hidden = false;
            show(wrong, error.message);
          } finally {
            button.disabled = false;
          }
        },
      },
      h("h2", { id: "dialog-title" }, title),
      said,
      fields.map(field),
      wrong,
      h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), button),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function field(one) {
  const id = `field-${one.name}`;
  const common = { id, name: one.name, required: one.required, "aria-describedby": one.hint ? `${id}-hint` : undefined, placeholder: one.placeholder };
  let input;
  if (one.options) input = h("select", common, one.options.map(([value, title]) => h("option", { value, selected: value === one.value }, title ?? value)));
  else if (one.type === "text-area") input = h("textarea", { ...common, rows: one.rows ?? 6, value: one.value ?? "", spellcheck: "false" });
  else if (one.type === "checkbox") input = h("input", { ...common, type: "checkbox", checked: Boolean(one.value) });
  else input = h("input", { ...common, type: one.type ?? "text", value: one.value ?? "", min: one.min, max: one.max, step: one.step, autocomplete: "off" });
  return h("div", { class: "field" }, h("label", { for: id }, one.label), input, one.hint ? h("small", { id: `${id}-hint` }, one.hint) : null);
}

function valuesOf(form, fields) {
  return Object.fromEntries(
    fields.map(({ name, type }) => {
      const input = form.elements.namedItem(name);
      if (type === "checkbox") return [name, input.checked];
      if (type === "number") return [name, input.value === "" ? null : Number(input.value)];
      return [name, input.value];
    }),
  );
}

/** Sure? Then it is done, and told. */
export const confirm = (title, said, action, done) => ask(title, [], action, done, { danger: true, said: h("p", null, said) });

/** A change that a resource would set back (409, Managed) is made only after one more yes. `change` is told whether so. */
export async function evenIfManaged(change) {
  try {
    return await change(false);
  } catch (error) {
    if (error.said?.title !== "Managed") throw error;
    return new Promise((done, failed) => {
      const dialog = confirm("A resource manages this", `${error.message}.`, "Do it all the same", async () => done(await change(true)));
      dialog.addEventListener("close", () => failed(new Error("It was not done.")));
    });
  }
}

/** Which resource manages it, as a tag that leads to the operator's page. */
export const managedBy = (cluster, resource) =>
  resource ? h("a", { class: "tag", href: `clusters/${encodeURIComponent(cluster)}/operator`, title: `${resource} manages it: its operator sets back what is changed past it` }, resource) : null;

/** A button that does something and says so. */
export function button(name, done, { kind = "", disabled = false, title } = {}) {
  return h("button", { type: "button", class: kind, disabled, title, onclick: async (event) => {
    const self = event.currentTarget;
    self.disabled = true;
    try {
      await done();
    } catch (error) {
      tell(error.message, "problem");
    } finally {
      self.disabled = disabled;
    }
  } }, name);
}
