// Which KafkaTopic manages a topic, and where Kafka differs from it: a part of the topic's page.

import { get } from "../api.js";
import { h } from "../dom.js";
import { table } from "../parts.js";

/** null where nothing is known of resources. */
export const resourceOf = (address, signal) =>
  get(`${address}/resource`, { signal }).catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });

const SAYS = {
  managed: "manages this topic. Changes made here go through it.",
  paused: "is paused. Changes made here are made in Kafka, and set back once the pause ends.",
  unmanaged: "is set not to manage this topic. Changes made here are made in Kafka.",
  leaving: "is being deleted, and this topic with it.",
  refused: "claims this topic and is refused.",
};

export function managed(resource, cluster) {
  if (!resource?.state) return null;
  const columns = [
    { name: "name", title: "What", cell: (one) => h("code", null, one.name) },
    { name: "wanted", title: "The resource says", cell: (one) => one.wanted ?? "–" },
    { name: "found", title: "Kafka says", cell: (one) => one.found ?? "–" },
  ];
  const bad = resource.conditions.filter((one) => one.type === "Warning" || (one.type === "Ready" && one.status !== "True"));
  return h("section", { key: "managed", class: "managed", "aria-label": "Resource" },
    h("p", null, h("a", { href: `${cluster}/operator` }, `KafkaTopic ${resource.namespace}/${resource.name}`), ` ${SAYS[resource.state] ?? ""} ${resource.why}`),
    resource.others.length ? h("p", null, `Others claim it, too: ${resource.others.join(", ")}.`) : null,
    bad.map((one) => h("p", { class: "bad" }, [one.type, one.reason, one.message].filter(Boolean).join(": "))),
    resource.unread ? h("p", { class: "bad" }, `Where Kafka differs is not known: ${resource.unread}`) : null,
    resource.drift.length ? table("Where Kafka is not as the resource says", columns, resource.drift, { key: (one) => one.name }) : null);
}
