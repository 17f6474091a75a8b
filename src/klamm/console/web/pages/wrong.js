// What is wrong now, in one cluster or in all of them.

import { get, path } from "../api.js";
import { h } from "../dom.js";
import { Page } from "../page.js";
import { age } from "../parts.js";

const WORDS = { critical: "Critical", warning: "Warning", notice: "Notice" };

class Wrong extends Page {
  title() {
    return "What is wrong now";
  }

  async load(signal) {
    if (this.params.cluster) return { clusters: [await get(path("clusters", this.params.cluster, "wrong"), { signal })] };
    return get("api/wrong", { signal });
  }

  view({ clusters }) {
    return clusters.map((one) => this.cluster(one));
  }

  cluster({ cluster, findings, age: seconds }) {
    const here = `clusters/${encodeURIComponent(cluster)}`;
    return h("section", { key: cluster, class: "findings", "aria-label": cluster },
      this.params.cluster ? null : h("h2", null, h("a", { href: `${here}/wrong` }, cluster)),
      h("p", { role: "status" }, said(findings)),
      findings.length ? h("ul", null, findings.map((one) => finding(here, one))) : null,
      seconds === null || seconds === undefined ? null : age({ age: seconds }));
  }
}

function finding(here, one) {
  return h("li", { key: `${one.kind} ${one.what}`, class: `finding ${one.severity}` },
    h("p", { class: "what" }, h("strong", { class: "tag" }, WORDS[one.severity] ?? one.severity), " ", one.what),
    one.why ? h("p", null, one.why) : null,
    h("p", null, h("em", null, "What to do: "), one.mend, " ", one.link.length ? h("a", { href: [here, ...one.link.map(encodeURIComponent)].join("/") }, "Look at it") : null));
}

function said(findings) {
  if (!findings.length) return "Nothing is wrong.";
  const counts = Object.keys(WORDS).map((one) => [one, findings.filter(({ severity }) => severity === one).length]);
  return counts.filter(([, count]) => count).map(([one, count]) => `${count} ${WORDS[one].toLowerCase()}${count === 1 || one === "critical" ? "" : "s"}`).join(", ");
}
customElements.define("klamm-wrong", Wrong);
