// Resets of a group's offsets: say where to, see the plan, do it, undo it. Used by the page of a group.

import { get, path, post, remove } from "../api.js";
import { go } from "../console.js";
import { h, show, tell } from "../dom.js";
import { button, confirm, table } from "../parts.js";
import { count, time } from "../words.js";
import { may } from "../who.js";

const WHERE = [
  ["earliest", "the beginning"],
  ["latest", "the end"],
  ["time", "a time"],
  ["offset", "an offset"],
  ["shift", "some records on or back"],
  ["group", "what another group has"],
];

const api = (page) => path("clusters", page.params.cluster, "consumer-groups", page.params.group);

export const undosOf = (page, signal) => get(`${api(page)}/offsets/undos`, { signal });

const mayOf = (page, action) => may(page.params.cluster, "consumer", action, page.params.group);
const several = (number) => `${count(number)} ${number === 1 ? "partition" : "partitions"}`;

/** Buttons above a group's tables. */
export function deeds(page, group, offsets) {
  return h("div", { class: "tools", key: "deeds" },
    h("button", { type: "button", onclick: () => reset(page, offsets) }, mayOf(page, "reset_offsets") ? "Reset offsets" : "See what a reset would do"),
    mayOf(page, "delete") ? h("button", { type: "button", class: "danger", onclick: () => removeGroup(page, group) }, "Delete group") : null);
}

/** Resets of this group that can be undone. */
export function undoList(page, resets) {
  if (!resets.length) return null;
  const columns = [
    { name: "at", title: "When", cell: (one) => time(one.at) },
    { name: "by", title: "Who", cell: (one) => one.by },
    { name: "what", title: "What", cell: (one) => one.what || "a reset" },
    { name: "lines", title: "Partitions", number: true, cell: (one) => count(one.lines) },
    { name: "undo", title: "", cell: (one) => h("button", { type: "button", onclick: () => undo(page, one) }, "Undo") },
  ];
  return table("Resets that can be undone, until the console ends", columns, resets, { key: (one) => one.number });
}

/** A button that deletes what the group committed in a topic. */
export function forgetTopic(page, topic) {
  if (!mayOf(page, "delete")) return "";
  return h("button", { type: "button", class: "danger", "aria-label": `Delete the offsets of topic ${topic}`, onclick: () =>
    confirm(`Delete the offsets of ${topic}?`, "The group will begin there where its auto.offset.reset says. It can be undone.", "Delete", async () => {
      await remove(`${api(page)}/topics/${encodeURIComponent(topic)}`);
      tell(`Offsets of ${topic} were deleted`);
      await page.refresh();
    }) }, "Delete offsets");
}

function removeGroup(page, group) {
  const said = "All its offsets go with it. It cannot be undone." + (group.members ? ` ${count(group.members)} members are in it now, so Kafka will refuse.` : "");
  confirm(`Delete group ${page.params.group}?`, said, "Delete", async () => {
    await remove(api(page));
    tell(`Group ${page.params.group} was deleted`);
    await go(`clusters/${encodeURIComponent(page.params.cluster)}/groups`);
  });
}

function undo(page, one) {
  const wish = { to: "undo", number: one.number };
  opened(`Undo: ${one.what || "a reset"}`, (dialog) => plan(page, dialog, wish, `undo of: ${one.what}`.slice(0, 200), null));
}

function reset(page, offsets) {
  opened(`Reset offsets of ${page.params.group}`, (dialog) => wishForm(page, dialog, [...new Set(offsets.map((one) => one.topic))], {}));
}

/** A dialog whose content changes from step to step. */
function opened(title, begin) {
  const body = h("div");
  const element = h("dialog", { class: "wide", "aria-labelledby": "dialog-title", onclose: () => element.remove() }, h("h2", { id: "dialog-title", tabindex: "-1" }, title), body);
  document.body.append(element);
  element.showModal();
  begin({
    show: (...content) => {
      body.replaceChildren();
      show(body, ...content);
      element.querySelector("h2").focus();
    },
    close: () => element.close(),
  });
}

function wishForm(page, dialog, topics, before) {
  const wrong = h("p", { class: "problem", role: "alert", hidden: true });
  const needed = (name, label, input, hint) =>
    h("div", { class: "field", "data-for": name }, h("label", { for: `reset-${name}` }, label), input, hint ? h("small", { id: `reset-${name}-hint` }, hint) : null);
  const input = (name, type, value) => h("input", { id: `reset-${name}`, name, type, value: value ?? "", autocomplete: "off", "aria-describedby": `reset-${name}-hint` });
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      try {
        const wish = wishOf(form);
        await plan(page, dialog, wish, named(wish, form), () => wishForm(page, dialog, topics, Object.fromEntries(new FormData(form))));
      } catch (error) {
        wrong.hidden = false;
        show(wrong, error.message);
      }
    },
    onchange: () => fit(form),
  },
    needed("to", "To", h("select", { id: "reset-to", name: "to" }, WHERE.map(([value, title]) => h("option", { value, selected: value === before.to }, title)))),
    needed("time", "Time", input("time", "datetime-local", before.time), "Of this browser's clock. The first record that is as young or younger is the next to be read."),
    needed("offset", "Offset", input("offset", "number", before.offset), "The next record to be read, in every partition that is meant."),
    needed("shift", "Records", input("shift", "number", before.shift), "Negative: back, so that they are read once more."),
    needed("group", "Group", input("group", "text", before.group), "Its committed offsets are taken over."),
    needed("topic", "Topic", h("select", { id: "reset-topic", name: "topic" }, h("option", { value: "" }, "every topic of which the group has committed something"), topics.map((name) => h("option", { value: name, selected: name === before.topic }, name)), h("option", { value: "?", selected: before.topic === "?" }, "another topic"))),
    needed("another", "Name of the topic", input("another", "text", before.another)),
    needed("partitions", "Partitions", input("partitions", "text", before.partitions), "Numbers with commas; empty: all."),
    wrong,
    h("div", { class: "buttons" }, h("button", { type: "button", onclick: dialog.close }, "Cancel"), h("button", { type: "submit", class: "main" }, "See what it would do")));
  fit(form);
  dialog.show(form);
}

/** Only what the choice needs is asked for. */
function fit(form) {
  const { to, topic } = Object.fromEntries(new FormData(form));
  for (const one of form.querySelectorAll("[data-for]")) {
    const name = one.dataset.for;
    one.hidden = { time: to !== "time", offset: to !== "offset", shift: to !== "shift", group: to !== "group", another: topic !== "?", partitions: !topic }[name] ?? false;
  }
}

function wishOf(form) {
  const values = Object.fromEntries(new FormData(form));
  const wish = { to: values.to };
  if (values.to === "time") wish.millis = values.time ? new Date(values.time).getTime() : null;
  if (values.to === "offset" || values.to === "shift") wish.number = values[values.to] === "" ? null : Number(values[values.to]);
  if (values.to === "group") wish.from = values.group.trim();
  const topic = values.topic === "?" ? values.another.trim() : values.topic;
  if (topic) wish.topics = { [topic]: values.partitions.split(",").map((one) => one.trim()).filter(Boolean).map(Number) };
  return wish;
}

function named(wish, form) {
  const where = {
    earliest: "to the beginning",
    latest: "to the end",
    time: `to ${form.elements.time.value.replace("T", " ")}`,
    offset: `to offset ${wish.number}`,
    shift: `by ${wish.number} records`,
    group: `to what ${wish.from} has`,
  }[wish.to];
  const topics = Object.keys(wish.topics ?? {});
  return topics.length ? `${where} in ${topics.join(", ")}` : where;
}

async function plan(page, dialog, wish, what, back) {
  let seen;
  try {
    seen = await post(`${api(page)}/offsets/plan`, wish);
  } catch (error) {
    if (back) throw error;
    dialog.show(h("p", { class: "problem", role: "alert" }, error.message), h("div", { class: "buttons" }, h("button", { type: "button", onclick: dialog.close }, "Close")));
    return;
  }
  const changing = seen.lines.filter((one) => one.changes);
  const columns = [
    { name: "topic", title: "Topic", cell: (one) => one.topic },
    { name: "partition", title: "Partition", number: true, cell: (one) => one.partition },
    { name: "old", title: "Now", number: true, cell: (one) => count(one.old) },
    { name: "new", title: "Then", number: true, cell: (one) => (one.changes ? h("strong", null, one.new === null ? "none" : count(one.new)) : "stays") },
    { name: "again", title: "Difference", number: true, cell: (one) => difference(one) },
    { name: "log", title: "Log", number: true, cell: (one) => `${count(one.earliest)} to ${count(one.latest)}` },
    { name: "why", title: "Remark", cell: (one) => (one.whyNot ? h("span", { class: "bad" }, `May not: ${one.whyNot}`) : (one.remark ?? "")) },
  ];
  const wrong = h("div", { role: "alert" });
  const act = button(`Reset ${several(changing.length)}`, async () => {
    wrong.replaceChildren();
    try {
      const done = await post(`${api(page)}/offsets`, { what, lines: changing.map(({ topic, partition, old, new: to }) => ({ topic, partition, old, new: to })) });
      if (done.failed.length) {
        show(wrong, h("div", { class: "problem" }, `Reset: ${several(done.changed)}. Not reset: ${several(done.failed.length)}:`, h("ul", null, done.failed.map((one) => h("li", null, `${one.topic}-${one.partition}: ${one.why}`)))));
      } else {
        dialog.close();
        tell(`Reset: ${several(done.changed)}. The next look at the cluster shows it; here it can be undone.`);
      }
      await page.refresh();
    } catch (error) {
      show(wrong, h("p", { class: "problem" }, error.message));
    }
  }, { kind: "danger", disabled: Boolean(seen.refused) || !mayOf(page, "reset_offsets") });
  dialog.show(
    h("p", null, what),
    seen.refused ? h("p", { class: "problem", role: "alert" }, `It may not be done now: ${seen.refused}.`) : null,
    table("What would change", columns, seen.lines, { key: (one) => `${one.topic}-${one.partition}`, empty: "No partition is meant: the group has committed nothing." }),
    h("p", { id: "reset-command" }, "The same with Kafka's own tool:"),
    h("pre", { class: "command", tabindex: "0", "aria-labelledby": "reset-command" }, seen.command),
    seen.file === null ? null : [h("p", { id: "reset-file" }, "where offsets.csv holds:"), h("pre", { class: "command", tabindex: "0", "aria-labelledby": "reset-file" }, seen.file)],
    wrong,
    h("div", { class: "buttons" },
      h("button", { type: "button", onclick: dialog.close }, "Cancel"),
      back ? h("button", { type: "button", onclick: back }, "Back") : null,
      act));
}

function difference({ old, new: to, changes }) {
  if (!changes || old === null || to === null) return "–";
  return to > old ? `${count(to - old)} skipped` : `${count(old - to)} once more`;
}
