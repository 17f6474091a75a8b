// A roll as it goes on: which pod is away, why, how far it is, what comes next; and the last one when it has ended.

import { h } from "../dom.js";
import { table } from "../parts.js";
import { count, seconds } from "../words.js";

/** `ago`: seconds since this was said. `one`: null when the console has seen none. */
export function roll(one, ago, all) {
  const waiting = all.filter((pod) => !pod.ready).length;
  const how = !all.length ? "No pods are seen." : waiting ? `${count(waiting)} of ${pods(all.length)} not ready.` : `All ${pods(all.length)} are ready.`;
  if (!one) return h("p", { key: "roll", class: "roll-none" }, `Nothing is being rolled. ${how}`);
  if (one.ended) return ended(one, how);
  const away = one.pods.filter(({ step }) => step !== "due" && step !== "done");
  const next = one.pods.find(({ step }) => step === "due");
  return h("section", { key: "roll", class: "roll", "aria-label": "Roll" },
    h("h2", null, `${one.why.length ? "A roll is under way" : "Pods are being made"}: ${count(one.done)} of ${count(one.pods.length)} done`),
    h("progress", { max: one.pods.length, value: one.done, "aria-label": "Pods that are done" }),
    one.why.length ? h("p", null, h("strong", null, "Why: "), one.why.join("; ")) : null,
    h("p", null, h("strong", null, "Now: "), away.length ? away.map((pod) => `${pod.pod} ${NOW[pod.step]}`).join("; ") : "no pod is away"),
    h("p", null, h("strong", null, "Next: "), next ? next.pod : "nothing, that was the last one"),
    one.waits ? h("p", null, h("strong", null, "The operator says: "), one.waits) : null,
    one.whole ? null : h("p", null, h("small", null, "It was under way when this console began to look: pods that were done before are not counted.")),
    steps(one, next, ago));
}

function ended(one, how) {
  return h("section", { key: "roll", class: "roll ended", "aria-label": "Roll" },
    h("p", null, `Nothing is being rolled. ${how}`),
    h("details", null,
      h("summary", null, `The last roll: ${pods(one.pods.length)} in ${seconds((Date.parse(one.ended) - Date.parse(one.began)) / 1000)}, ended ${clock(one.ended)}`),
      steps(one, null, 0)));
}

const NOW = { ending: "is ending", missing: "is being made anew", starting: "is starting" };

function steps(one, next, ago) {
  return table("Pods of the roll", [
    { name: "pod", title: "Pod", cell: (pod) => pod.pod },
    { name: "step", title: "How far", cell: (pod) => far(pod, pod === next) },
    { name: "seconds", title: "Away for", number: true, cell: (pod) => (pod.seconds === null ? "–" : seconds(pod.seconds + (pod.step === "done" ? 0 : ago))) },
    { name: "why", title: "Why", cell: (pod) => pod.why.join("; ") || "–" },
  ], one.pods, { key: (pod) => pod.pod });
}

function far(pod, isNext) {
  if (pod.step === "done") return h("span", { class: "good" }, `done ${clock(pod.since)}`);
  if (pod.step === "due") return isNext ? "next" : "to go";
  return h("strong", null, NOW[pod.step]);
}

export const pods = (number) => `${count(number)} ${number === 1 ? "pod" : "pods"}`;
const clock = (text) => `at ${new Date(text).toLocaleTimeString()}`;
