// The frame: which page an address means, the navigation, light and dark, and who is logged in.
// A page's module is loaded when it is first wanted, so that the first look is small.

import { get, post } from "./api.js";
import { h, show } from "./dom.js";
import { known, may, who } from "./who.js";

/** Address (after the base) → element, module, place in the navigation, the resource that one must be allowed to view
 * to find it there. `:name` are parameters. */
const PAGES = [
  ["", "klamm-clusters", "clusters"],
  ["wrong", "klamm-wrong", "wrong"],
  ["clusters/:cluster", "klamm-overview", "overview", "Overview"],
  ["clusters/:cluster/wrong", "klamm-wrong", "wrong", "What is wrong"],
  ["clusters/:cluster/operator", "klamm-operator", "operator", "Operator", "clusterconfig"],
  ["clusters/:cluster/brokers", "klamm-brokers", "brokers", "Brokers"],
  ["clusters/:cluster/brokers/:broker", "klamm-broker", "broker"],
  ["clusters/:cluster/topics", "klamm-topics", "topics", "Topics"],
  ["clusters/:cluster/topics/:topic", "klamm-topic", "topic"],
  ["clusters/:cluster/topics/:topic/messages", "klamm-messages", "messages"],
  ["clusters/:cluster/groups", "klamm-groups", "groups", "Groups"],
  ["clusters/:cluster/groups/:group", "klamm-group", "group"],
  ["clusters/:cluster/schemas", "klamm-schemas", "schemas", "Schemas"],
  ["clusters/:cluster/schemas/:subject", "klamm-schema", "schema"],
  ["clusters/:cluster/transactions", "klamm-transactions", "transactions", "Transactions", "clusterconfig"],
  ["clusters/:cluster/acls", "klamm-acls", "acls", "ACLs", "acl"],
  ["clusters/:cluster/quotas", "klamm-quotas", "quotas", "Quotas and users", "client_quotas"],
  ["clusters/:cluster/quorum", "klamm-quorum", "quorum", "Quorum and features", "clusterconfig"],
  ["clusters/:cluster/heat", "klamm-heat", "heat", "What lies where"],
  ["clusters/:cluster/compare", "klamm-compare", "compare", "Compare"],
  ["clusters/:cluster/audit", "klamm-audit", "audit", "Audit", "audit"],
  ["login", "klamm-login", "login"],
];

const base = new URL(document.baseURI).pathname;
let clusters = [];

function found(pathname) {
  const parts = pathname.slice(base.length).replace(/\/$/, "").split("/");
  for (const [pattern, element, module] of PAGES) {
    const wanted = pattern.split("/");
    if (wanted.length !== parts.length) continue;
    const params = {};
    const fits = wanted.every((one, at) => {
      if (!one.startsWith(":")) return one === parts[at];
      params[one.slice(1)] = decoded(parts[at]);
      return Boolean(params[one.slice(1)]);
    });
    if (fits) return { element, module, params };
  }
  return null;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return ""; // no page has such an address
  }
}

let routes = 0;

async function route({ focus = true } = {}) {
  const mine = ++routes;
  const main = document.getElementById("main");
  const page = found(location.pathname);
  if (!page) {
    show(main, h("h1", { tabindex: "-1" }, "There is no such page"), h("p", null, h("a", { href: "./" }, "To the clusters")));
    frame({});
    return;
  }
  try {
    // Pages leave out what one may not do, so that is known first.
    await Promise.all([import(`./pages/${page.module}.js`), page.module === "login" ? null : known()]);
  } catch (error) {
    show(main, h("h1", null, "This page could not be loaded"), h("p", { class: "problem" }, error.message));
    return;
  }
  if (mine !== routes) return; // somebody went on meanwhile
  const element = document.createElement(page.element);
  element.params = page.params;
  main.replaceChildren(element);
  frame(page.params);
  if (focus) main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Where a link leads without a new load of everything. */
export function go(address) {
  history.pushState(null, "", new URL(address, document.baseURI));
  return route();
}

function frame({ cluster }) {
  const dark = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  show(
    document.getElementById("bar"),
    h("a", { class: "brand", href: "./" }, h("img", { src: "./icon.svg", alt: "", width: 24, height: 24 }), "klamm"),
    clusters.length
      ? h("label", null, h("span", { class: "unseen" }, "Cluster"),
          h("select", { onchange: (event) => go(event.target.value ? `clusters/${encodeURIComponent(event.target.value)}` : "./"), value: cluster ?? "" },
            h("option", { value: "", selected: !cluster }, "All clusters"),
            clusters.map((one) => h("option", { value: one.name, selected: one.name === cluster }, one.name))))
      : null,
    h("span", { class: "who" }, who()?.canLogOut ? [h("bdi", null, who().userInfo.username), " ", h("button", { type: "button", onclick: logOut }, "Log out")] : null),
    h("button", { type: "button", class: "theme", "aria-label": `Switch to ${dark === "dark" ? "light" : "dark"} colours`, onclick: () => theme(dark === "dark" ? "light" : "dark", cluster) }, dark === "dark" ? "☀" : "☾"),
  );
  const at = location.pathname.slice(base.length).replace(/\/$/, "");
  const entries = cluster
    ? PAGES.filter(([, , module, name, resource]) => name && (!resource || may(cluster, resource, "view")) && (module !== "operator" || clusters.find((one) => one.name === cluster)?.operator)).map(([pattern, , , name]) => {
        const href = pattern.replace(":cluster", encodeURIComponent(cluster));
        const isCurrent = pattern.endsWith(":cluster") ? at === href : at === href || at.startsWith(`${href}/`);
        return h("a", { href, key: pattern, "aria-current": isCurrent ? "page" : undefined }, name);
      })
    : [];
  show(document.getElementById("nav"), entries);
}

function theme(name, cluster) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("theme", name);
  frame({ cluster });
}

async function logOut() {
  await post("api/logout");
  location.assign(new URL("login", document.baseURI));
}

document.addEventListener("log-in", () => {
  const here = location.pathname + location.search;
  if (found(location.pathname)?.module === "login") return;
  history.replaceState(null, "", new URL(`login?next=${encodeURIComponent(here)}`, document.baseURI));
  route();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute("download")) return;
  const address = new URL(link.href);
  if (address.origin !== location.origin || !address.pathname.startsWith(base) || address.pathname.startsWith(`${base}api/`)) return;
  if (link.classList.contains("skip")) return;
  event.preventDefault();
  go(address.href);
});
addEventListener("popstate", () => route());

if (localStorage.getItem("theme")) document.documentElement.dataset.theme = localStorage.getItem("theme");
route({ focus: false });
if (found(location.pathname)?.module !== "login") {
  Promise.all([get("api/clusters"), known()]).then(([answer]) => {
    clusters = answer.clusters;
    frame(found(location.pathname)?.params ?? {});
  }, () => {});
}
