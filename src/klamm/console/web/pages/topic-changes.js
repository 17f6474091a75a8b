// What people do to a topic as a whole: replicas, clone, anew; and what is being moved.

import { get, patch, post, remove } from "../api.js";
import { go } from "../console.js";
import { h, tell } from "../dom.js";
import { ask, button, confirm, table } from "../parts.js";
import { may } from "../who.js";
import { bytes } from "../words.js";
import { may } from "../who.js";

/** Buttons for the tools of a topic's page. */
export const changes = (page, topic) => [
  page.may("edit") ? button("Replicas", () => replicas(page, topic)) : null,
  may(page.params.cluster, "topic", "create") && !topic.internal ? button("Clone", () => clone(page)) : null,
  topic.internal || !page.may("delete") || !page.may("create") ? null : button("Make anew", () => recreate(page), { kind: "danger" }),
];

function replicas(page, topic) {
  const fields = [{ name: "replicationFactor", label: "Replicas of each partition", type: "number", min: 1, value: topic.replicationFactor, required: true }];
  ask("Another number of replicas", fields, "Show the plan", async (values) => {
    const plan = await post(`${page.api}/replication-factor/plan`, values);
    if (!plan.moves.length) throw new Error(`Every partition has ${plan.replicationFactor} replicas already.`);
    setTimeout(() => planned(page, plan));
  });
}

function planned(page, plan) {
  const said = [
    plan.warning ? h("p", { class: "problem" }, plan.warning) : null,
    h("p", null, plan.bytes ? `About ${bytes(plan.bytes)} are copied between brokers.` : "Nothing is copied."),
    moves(plan.moves.map((one) => ({ ...one, adding: one.after.filter((id) => !one.before.includes(id)), removing: one.before.filter((id) => !one.after.includes(id)), replicas: [...new Set([...one.before, ...one.after])] })), "What will be moved"),
  ];
  ask("The plan", [], "Move", async () => {
    const { said } = await patch(`${page.api}/replication-factor`, { replicationFactor: plan.replicationFactor });
    tell(`It has begun${said ? `. ${said}` : ""}`);
    await page.refresh();
  }, { said });
}

function moves(lines, caption) {
  const columns = [
    { name: "partition", title: "Partition", number: true, cell: (one) => one.partition },
    { name: "replicas", title: "Brokers", cell: (one) => one.replicas.map((id) => h("span", { class: one.removing.includes(id) ? "replica going" : one.adding.includes(id) ? "replica coming" : "replica", title: one.removing.includes(id) ? "goes" : one.adding.includes(id) ? "comes" : "stays" }, one.removing.includes(id) ? `− ${id}` : one.adding.includes(id) ? `+ ${id}` : id)) },
  ];
  return table(caption, columns, lines, { key: (one) => one.partition });
}

/** Asked along with a topic; older brokers cannot tell, and that is no failure of the page. */
export const underWay = (page, signal) => get(`${page.api}/reassignments`, { signal }).then(({ reassignments }) => reassignments, (error) => (error.name === "AbortError" ? Promise.reject(error) : []));

/** What is being moved, and how to end it. */
export function moving(page, lines) {
  if (!lines?.length) return null;
  return h("section", { key: "moving", "aria-label": "Being moved" }, moves(lines, "Being moved"),
    !page.may("edit") ? null : button("Cancel the moves", () => confirm("Cancel the moves?", "Replicas that were to come go again; those that were to go stay.", "Cancel the moves", async () => {
      await remove(`${page.api}/reassignments`);
      tell("The moves were cancelled");
      await page.refresh();
    }), { kind: "danger" }));
}

function clone(page) {
  const fields = [{ name: "name", label: "Name of the new topic", required: true, value: `${page.params.topic}-clone`, hint: "Partitions, replicas and configuration are as here; messages are not copied." }];
  ask(`Clone ${page.params.topic}`, fields, "Clone", async (values) => {
    await post(`${page.api}/clone`, values);
    tell(`Topic ${values.name} was created`);
    await go(`clusters/${encodeURIComponent(page.params.cluster)}/topics/${encodeURIComponent(values.name)}`);
  });
}

function recreate(page) {
  confirm(`Make topic ${page.params.topic} anew?`, "It is deleted with all its messages, and made again with the same settings. Groups keep their offsets, which may lie beyond the new end. It cannot be undone.", "Make anew", async () => {
    await post(`${page.api}/recreate`);
    tell(`Topic ${page.params.topic} was made anew`);
    await page.refresh();
  });
}
