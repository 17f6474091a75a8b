// Elections of leaders: preferred ones with a question, unclean ones with two. Used by pages of topics and brokers.

import { path, post } from "../api.js";
import { h, tell } from "../dom.js";
import { ask, confirm } from "../parts.js";
import { count } from "../words.js";

const several = (number) => `${count(number)} ${number === 1 ? "partition has" : "partitions have"} another leader now`;

/** Of one topic, or of all (null). */
export function elections(page, topic) {
  const of = topic === null ? "all topics" : `topic ${topic}`;
  return [
    h("button", { type: "button", onclick: () => preferred(page, topic, of) }, "Elect preferred leaders"),
    h("button", { type: "button", class: "danger", onclick: () => unclean(page, topic, of) }, "Elect unclean leaders"),
  ];
}

function preferred(page, topic, of) {
  ask("Elect preferred leaders?", [], "Elect", () => elect(page, topic, {}), { said: h("p", null, `The first replica of each partition of ${of} becomes its leader, where it is in sync. Nothing is lost; clients find the new leaders by themselves.`) });
}

function unclean(page, topic, of) {
  const fields = [{ name: "word", label: "Write “lose records” to go on", required: true }];
  const said = h("p", { class: "problem" }, `Partitions of ${of} that have no leader get one that was not in sync. Records that only the missing replicas have are lost for ever. Do it when those replicas will not come back.`);
  ask("Elect unclean leaders?", fields, "Go on", async ({ word }) => {
    if (word.trim() !== "lose records") throw new Error("Write “lose records”, or cancel.");
    confirm("Are you sure?", `Unclean leaders of ${of}: this cannot be undone.`, "Elect unclean leaders", () => elect(page, topic, { unclean: true, sure: true }));
  }, { danger: true, said });
}

async function elect(page, topic, wish) {
  const address = topic === null ? path("clusters", page.params.cluster, "elections") : path("clusters", page.params.cluster, "topics", topic, "elections");
  const { elected, failed } = await post(address, wish);
  if (failed.length) tell(`${several(elected)}; not of ${failed.length}: ${failed.slice(0, 3).map((one) => `${one.topic}-${one.partition}: ${one.why}`).join("; ")}`, "problem");
  else tell(elected ? several(elected) : "No election was needed");
  await page.refresh();
}
