// What every page is: an element that loads, shows, refreshes and lets go.
//
//   class Topics extends Page {
//     static every = 10;                       // seconds between refreshes; 0: never
//     title() { return "Topics"; }
//     async load(signal) { return get(path("clusters", this.params.cluster, "topics"), { signal }); }
//     view(data) { return [...]; }
//   }
//   customElements.define("klamm-topics", Topics);

import { h, show } from "./dom.js";

export class Page extends HTMLElement {
  static every = 10;
  isPage = true;

  /** Of the path; set before the page is shown. */
  params = {};

  connectedCallback() {
    this.setAttribute("aria-busy", "true");
    this.refresh();
  }

  disconnectedCallback() {
    this.loading?.abort();
    clearTimeout(this.timer);
    this.leave();
  }

  title() {
    return "";
  }

  async load(_signal) {
    return null;
  }

  view(_data) {
    return [];
  }

  /** What is to be closed when the page goes. */
  leave() {}

  /** Words of the address behind "?". */
  get words() {
    return Object.fromEntries(new URLSearchParams(location.search));
  }

  /** Change them, and load what they say. */
  say(words) {
    if (!this.isConnected) return undefined; // a timer's, of a page that is gone: the address is another one's
    const next = { ...this.words, ...words };
    for (const [name, value] of Object.entries(next)) if (value === "" || value === null || value === false) delete next[name];
    const search = new URLSearchParams(next).toString();
    history.replaceState(null, "", `${location.pathname}${search ? `?${search}` : ""}`);
    return this.refresh();
  }

  async refresh() {
    if (!this.isConnected) return;
    this.loading?.abort();
    clearTimeout(this.timer);
    const loading = (this.loading = new AbortController());
    try {
      this.data = await this.load(loading.signal);
      if (loading.signal.aborted || !this.isConnected) return;
      this.failure = null;
    } catch (error) {
      if (error.name === "AbortError" || loading.signal.aborted) return;
      if (!error.said) console.error(error);
      this.failure = error;
    }
    this.draw();
    this.removeAttribute("aria-busy");
    if (this.constructor.every) this.timer = setTimeout(() => this.refresh(), 1000 * this.constructor.every);
  }

  /** Show what is known again, without asking. */
  draw() {
    const title = this.title();
    document.title = `${title} · klamm`;
    const shown = this.data === undefined ? [] : this.view(this.data);
    show(this, h("h1", { key: "title", tabindex: "-1" }, title), this.failure ? problem(this.failure) : null, shown);
  }
}

export function problem(error) {
  const said = error.said ?? { title: error.name, detail: error.message };
  return h("section", { key: "problem", class: "problem", role: "alert" }, h("strong", null, said.title), " ", said.detail);
}
