// Messages of a topic: looked for, followed, written, sent again, copied, downloaded, purged.

import { Problem, get, path, post, query, remove } from "../api.js";
import { h, tell } from "../dom.js";
import { at, brief, parse, pretty } from "../exact.js";
import { Page } from "../page.js";
import { ask, button, confirm, tabs } from "../parts.js";
import { may } from "../who.js";
import { bytes, count, seconds } from "../words.js";

const MODES = [
  ["LATEST", "Newest first"],
  ["EARLIEST", "Oldest first"],
  ["FROM_OFFSET", "From an offset"],
  ["TO_OFFSET", "Up to an offset"],
  ["FROM_TIMESTAMP", "From a time"],
  ["TO_TIMESTAMP", "Up to a time"],
  ["TAILING", "Live"],
];
const MOST_LIVE = 500;
const DRAW_EVERY = 250;

class Messages extends Page {
  static every = 0;
  rows = [];
  open = new Set();

  title() {
    return this.params.topic;
  }

  may(action) {
    return may(this.params.cluster, "topic", action, this.params.topic);
  }

  get api() {
    return path("clusters", this.params.cluster, "topics", this.params.topic, "messages");
  }

  async load(signal) {
    const { cluster, topic } = this.params;
    const [names, of] = await Promise.all([get(`${this.api}/serdes`, { signal }), get(path("clusters", cluster, "topics", topic), { signal })]);
    this.run();
    return { names, partitions: of.partitions.map((one) => one.id) };
  }

  leave() {
    this.reading?.abort();
    clearTimeout(this.drawing);
  }

  /** What the address asks for, in the API's words. */
  asked(more = {}) {
    const { mode = "LATEST", partitions, limit, text, filter, offset, time, keySerde, valueSerde, committed } = this.words;
    return {
      mode,
      partitions,
      limit,
      stringFilter: text,
      filter,
      offset: mode.endsWith("_OFFSET") ? (offset ?? 0) : "",
      timestamp: mode.endsWith("_TIMESTAMP") ? new Date(time || 0).getTime() : "",
      keySerde,
      valueSerde,
      isolation: committed ? "READ_COMMITTED" : "",
      ...more,
    };
  }

  async run(cursor = "") {
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    this.rows = [];
    Object.assign(this, { phase: "Reading", progress: null, end: null, failure: null, isRunning: true });
    this.soon();
    try {
      await stream(`${this.api}${query(this.asked({ cursor }))}`, reading.signal, (name, data) => this.heard(name, data));
    } catch (error) {
      if (error.name === "AbortError" || reading.signal.aborted) return;
      this.failure = error;
    }
    if (reading.signal.aborted) return;
    this.isRunning = false;
    this.soon();
  }

  stop() {
    this.reading?.abort();
    this.isRunning = false;
    this.soon();
  }

  heard(name, data) {
    if (name === "message") {
      if (this.words.mode !== "TAILING") this.rows.push(data);
      else {
        this.rows.unshift(data);
        this.rows.length = Math.min(this.rows.length, MOST_LIVE);
      }
    } else if (name === "phase") this.phase = data.name;
    else if (name === "consuming") this.progress = data;
    else if (name === "done") this.end = data;
    else if (name === "problem") this.failure = new Problem(data);
    this.soon();
  }

  /** Drawn a few times a second, however much comes. */
  soon() {
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      if (this.isConnected && this.data !== undefined) this.draw();
    }, DRAW_EVERY);
  }

  view({ names, partitions }) {
    const here = `clusters/${encodeURIComponent(this.params.cluster)}/topics/${encodeURIComponent(this.params.topic)}`;
    const link = (name, title) => [title, `${here}?tab=${name}`, false];
    return [
      tabs(link("partitions", "Partitions"), ["Messages", `${here}/messages`, true], link("config", "Configuration"), link("groups", "Groups"), link("history", "History")),
      this.form(names, partitions),
      h("div", { class: "tools", key: "actions" },
        this.may("messages_produce") ? button("Write a message", () => this.write(names)) : null,
        button("Copy to a topic", () => this.copy()),
        h("a", { href: this.file("jsonl"), download: "", class: "action" }, "Download JSON"),
        h("a", { href: this.file("csv"), download: "", class: "action" }, "Download CSV"),
        this.may("messages_delete") ? button("Purge", () => this.purge(), { kind: "danger" }) : null),
      this.state(),
      this.table(),
      this.end ? h("div", { class: "pager", key: "pager" },
        h("button", { type: "button", disabled: !this.end.more, onclick: () => this.run(this.end.cursor) }, "Next page"),
        h("span", null, this.end.more ? "there is more" : "that is all")) : null,
    ];
  }

  file(format) {
    const { mode } = this.words;
    return `.${this.api}/download${query(this.asked({ format, limit: 100000, ...(mode === "TAILING" ? { mode: "EARLIEST" } : {}) }))}`;
  }

  form(names, partitions) {
    const { mode = "LATEST", partitions: wanted = "", limit = "100", text = "", filter = "", offset = "", time = "", keySerde = "", valueSerde = "", columns = "", committed = "" } = this.words;
    const field = (label, input) => h("label", { class: "search", key: label }, h("span", null, label), input);
    const select = (name, value, options) => h("select", { name, value, onchange: name === "mode" ? () => this.say({ mode: this.querySelector("[name=mode]").value }) : undefined }, options.map(([one, title]) => h("option", { value: one, selected: one === value }, title)));
    const input = (name, value, more = {}) => h("input", { name, value, autocomplete: "off", spellcheck: "false", ...more });
    const serdes = (all) => [["", `${all[0]} (default)`], ...all.slice(1).map((one) => [one, one])];
    return h("form", { class: "tools messages-form", key: "form", onsubmit: (event) => {
      event.preventDefault();
      this.say({ committed: "", ...Object.fromEntries(new FormData(event.target)) });
    } },
      field("Read", select("mode", mode, MODES)),
      mode.endsWith("_OFFSET") ? field("Offset", input("offset", offset || "0", { type: "number", min: 0 })) : null,
      mode.endsWith("_TIMESTAMP") ? field("Time", input("time", time, { type: "datetime-local", step: "0.001", required: true })) : null,
      field(`Partitions (of ${partitions.length})`, input("partitions", wanted, { placeholder: "all", pattern: "[0-9, ]*", size: 8 })),
      field("At most", input("limit", limit, { type: "number", min: 1, max: 500 })),
      field("With the text", input("text", text, { type: "search" })),
      field("Filter (CEL)", input("filter", filter, { class: "wide", placeholder: "record.value.total > 100 && record.partition == 0" })),
      field("Keys as", select("keySerde", keySerde, serdes(names.key))),
      field("Values as", select("valueSerde", valueSerde, serdes(names.value))),
      field("Columns (paths in values)", input("columns", columns, { placeholder: "customer.name, total" })),
      h("label", { class: "check", key: "committed" }, h("input", { type: "checkbox", name: "committed", value: "yes", checked: Boolean(committed) }), " committed only"),
      h("span", { class: "buttons", key: "buttons" },
        h("button", { type: "submit", class: "main" }, "Read"),
        h("button", { type: "button", disabled: !this.isRunning, onclick: () => this.stop() }, "Stop"),
        button("Try the filter", () => this.tryFilter())),
    );
  }

  state() {
    const { progress } = this;
    const took = progress ? progress.elapsedMs / 1000 : 0;
    const words = [this.isRunning ? `${this.phase} …` : this.end ? "Done" : "Stopped", `${count(this.rows.length)} shown`];
    if (progress) words.push(`${count(progress.messagesConsumed)} looked at`, bytes(progress.bytesConsumed), seconds(took));
    if (took > 0.2) words.push(`${count(Math.round(progress.messagesConsumed / took))} a second`);
    return [
      h("p", { class: "age", key: "state", role: "status" }, words.join(" · ")),
      progress?.filterApplyErrors ? h("p", { class: "problem", key: "filter-errors" }, `The filter could not look at ${count(progress.filterApplyErrors)} messages. The last one: ${progress.filterError}`) : null,
      progress?.unreadable ? h("p", { class: "problem", key: "unreadable" }, `${count(progress.unreadable)} batches are broken and were left out.`) : null,
    ];
  }

  table() {
    const paths = (this.words.columns ?? "").split(",").map((one) => one.trim()).filter(Boolean);
    const heads = ["", "Partition", "Offset", "Time", "Key", ...(paths.length ? paths : ["Value"]), "Size"];
    const lines = this.rows.flatMap((one) => this.lines(one, paths, heads.length));
    const none = h("tr", { key: "none" }, h("td", { colspan: heads.length, class: "none" }, this.isRunning ? "Nothing was found yet." : "There is none."));
    return h("div", { class: "table", key: "table" }, h("table", { class: "messages" },
      h("caption", null, "Messages"),
      h("thead", null, h("tr", null, heads.map((one) => h("th", { scope: "col", class: ["Partition", "Offset", "Size"].includes(one) ? "number" : "" }, one || h("span", { class: "unseen" }, "Details"))))),
      h("tbody", null, lines.length ? lines : none)));
  }

  lines(one, paths, width) {
    const id = `${one.partition}-${one.offset}`;
    const isOpen = this.open.has(id);
    const values = paths.length ? this.columns(one, paths) : [sideText(one.value)];
    const line = h("tr", { key: id },
      h("td", null, h("button", { type: "button", class: "head", "aria-expanded": String(isOpen), "aria-label": `Message ${one.offset} of partition ${one.partition}`, onclick: () => this.toggle(id) }, isOpen ? "▾" : "▸")),
      h("td", { class: "number" }, one.partition),
      h("td", { class: "number" }, String(one.offset)),
      h("td", { class: "when" }, one.timestampMs < 0 ? "–" : new Date(one.timestampMs).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" })),
      h("td", { class: "part" }, sideText(one.key)),
      values.map((value) => h("td", { class: "part" }, value)),
      h("td", { class: "number" }, bytes(one.size)));
    return isOpen ? [line, h("tr", { key: `${id}-more` }, h("td", { colspan: width }, this.details(one)))] : [line];
  }

  columns(one, paths) {
    try {
      const value = one.value.kind === "json" ? parse(one.value.text) : undefined;
      return paths.map((each) => brief(at(value, each)));
    } catch {
      return paths.map(() => "");
    }
  }

  toggle(id) {
    if (!this.open.delete(id)) this.open.add(id);
    this.draw();
  }

  details(one) {
    return h("div", { class: "message" },
      side("Key", one.key), side("Value", one.value),
      one.headers.length ? h("section", null, h("h2", null, "Headers"), h("dl", { class: "headers" }, one.headers.map(({ name, value }) => [h("dt", null, name), h("dd", null, value ?? h("i", null, "null"))]))) : null,
      h("p", { class: "age" }, `${one.timestamp ?? "no time"} (${one.timestampMs} ms, ${one.timestampType === "CREATE_TIME" ? "the writer's time" : "the broker's time"}) · key ${bytes(one.key.size)} · value ${bytes(one.value.size)}`),
      h("div", { class: "buttons" },
        one.key.cut || one.value.cut ? button("Show it whole", () => this.whole(one)) : null,
        button("Send it again", () => this.again(one)),
        button("Copy the value", () => navigator.clipboard.writeText(one.value.text ?? ""))));
  }

  async whole(one) {
    const found = [];
    await stream(`${this.api}${query({ ...this.asked(), stringFilter: "", filter: "", timestamp: "", mode: "FROM_OFFSET", partitions: one.partition, offset: one.offset, limit: 1, whole: true })}`, undefined, (name, data) => name === "message" && found.push(data));
    if (found[0]?.offset === one.offset) this.rows[this.rows.indexOf(one)] = found[0];
    this.draw();
  }

  again(one) {
    const fields = [{ name: "topic", label: "Into topic", value: this.params.topic, required: true }, { name: "partition", label: "Partition", type: "number", min: 0, hint: "Empty: by its key" }];
    ask("Send it again, byte by byte", fields, "Send", async ({ topic, partition }) => {
      const to = path("clusters", this.params.cluster, "topics", topic, "messages", "again");
      const placed = await post(to, { fromTopic: this.params.topic, fromPartition: one.partition, fromOffset: one.offset, partition });
      tell(`It is at offset ${placed.offset} of partition ${placed.partition} of ${topic}`);
    });
  }

  write(names) {
    const serdes = (all) => [["", `${all[0]} (default)`], ...all.slice(1).map((one) => [one])];
    const fields = [
      { name: "key", label: "Key", type: "text-area", rows: 2 },
      { name: "hasKey", label: "with a key", type: "checkbox", value: true },
      { name: "value", label: "Value", type: "text-area", rows: 8 },
      { name: "hasValue", label: "with a value (without, it is a tombstone)", type: "checkbox", value: true },
      { name: "headers", label: "Headers", type: "text-area", rows: 2, hint: "One a line: name: value" },
      { name: "partition", label: "Partition", type: "number", min: 0, hint: "Empty: by the key" },
      { name: "keySerde", label: "Key as", options: serdes(names.key) },
      { name: "valueSerde", label: "Value as", options: serdes(names.value) },
      { name: "count", label: "How many", type: "number", min: 1, value: 1 },
    ];
    ask("Write a message", fields, "Write", async (values) => {
      const headers = values.headers.split("\n").filter((one) => one.trim()).map((one) => {
        const [name, ...rest] = one.split(":");
        return { name: name.trim(), value: rest.length ? rest.join(":").trim() : null };
      });
      const body = { key: values.hasKey ? values.key : null, value: values.hasValue ? values.value : null, headers, partition: values.partition, keySerde: values.keySerde || null, valueSerde: values.valueSerde || null, count: values.count ?? 1 };
      const placed = await post(this.api, body);
      tell(`It is at offset ${placed.offset} of partition ${placed.partition}`);
      if (this.words.mode !== "TAILING") this.run();
    });
  }

  /** Counted first, done when one has seen the number. */
  copy() {
    const fields = [
      { name: "topic", label: "Into topic", required: true },
      { name: "limit", label: "At most", type: "number", min: 1, max: 1000000, value: 10000 },
      { name: "keepPartitions", label: "into partitions of the same numbers", type: "checkbox" },
    ];
    ask("Copy what this search finds", fields, "Count", async ({ topic, limit, keepPartitions }) => {
      const { mode, partitions, text, filter } = this.words;
      const { offset, timestamp, keySerde, valueSerde, isolation } = this.asked();
      const body = { fromTopic: this.params.topic, mode: !mode || mode === "TAILING" ? "EARLIEST" : mode, partitions: partitions ?? "", stringFilter: text ?? "", filter: filter ?? "", offset: offset === "" ? null : Number(offset), timestamp: timestamp === "" ? null : timestamp, keySerde: keySerde || null, valueSerde: valueSerde || null, isolation: isolation || undefined, limit, keepPartitions };
      const to = path("clusters", this.params.cluster, "topics", topic, "messages", "copy");
      const counted = await post(to, { ...body, dryRun: true });
      const said = `${count(counted.matched)} of ${count(counted.scanned)} messages that were looked at would be written to ${topic}${counted.more ? "; there are more" : ""}.`;
      confirm(`Copy ${count(counted.matched)} messages?`, said, "Copy", async () => {
        const done = await post(to, { ...body, dryRun: false });
        tell(`${count(done.written)} messages were written to ${topic}${done.whyNot ? `, and then it ended: ${done.whyNot}` : ""}`, done.whyNot ? "problem" : "info");
      });
    }, { said: h("p", null, "From the text, filter, partitions and times above. First they are counted only.") });
  }

  purge() {
    const fields = [{ name: "partitions", label: "Partitions", hint: "Empty: all, to their ends. 0,2: these. 0:150: those before offset 150." }];
    ask(`Purge messages of ${this.params.topic}`, fields, "Purge", async ({ partitions }) => {
      const done = await remove(`${this.api}${query({ partitions })}`);
      const failed = done.partitions.filter((one) => one.why_not);
      tell(failed.length ? `Partition ${failed[0].partition} was not purged: ${failed[0].why_not}` : `${count(done.partitions.length)} partitions were purged`, failed.length ? "problem" : "info");
      this.run();
    }, { danger: true, said: h("p", null, "They are gone for every reader. It cannot be undone.") });
  }

  async tryFilter() {
    const filter = this.querySelector("[name=filter]").value;
    const [one] = this.rows;
    const sample = one ? { key: one.key.text, value: one.value.text, headers: Object.fromEntries(one.headers.map(({ name, value }) => [name, value ?? ""])), partition: one.partition, offset: one.offset, timestampMs: one.timestampMs } : {};
    const { result, error } = await post(`${this.api}/filter-test`, { filter, ...sample });
    const what = one ? `the first message that is shown (offset ${one.offset})` : "a message without anything in it";
    tell(error ?? `On ${what} it says ${result}`, error ? "problem" : "info");
  }
}
customElements.define("klamm-messages", Messages);

const MOST_IN_A_LINE = 200;

function sideText(one) {
  if (one.text === null) return h("i", null, "null");
  return one.text.length > MOST_IN_A_LINE ? `${one.text.slice(0, MOST_IN_A_LINE)}…` : one.text;
}

function side(title, one) {
  let text = one.text;
  if (one.kind === "json") {
    try {
      text = pretty(parse(text));
    } catch {
      // shown as it is
    }
  }
  const details = Object.entries(one.details ?? {}).map(([name, value]) => ` · ${name} ${value}`);
  return h("section", null,
    h("h2", null, title, h("small", { class: "tag" }, one.kind), h("small", { class: "tag" }, one.serde), h("small", null, details)),
    one.whyNot ? h("p", { class: "problem" }, one.whyNot) : null,
    text === null ? h("i", null, "null") : h("pre", { tabindex: "0" }, text),
    one.cut ? h("p", { class: "age" }, "This is only its beginning.") : null);
}

/** Server-sent events by fetch: unlike EventSource it says why there are none, and does not begin again at the end. */
async function stream(address, signal, heard) {
  const answer = await fetch(new URL(address.replace(/^\//, ""), document.baseURI), { signal, headers: { Accept: "text/event-stream" } });
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("log-in"));
  if (!answer.ok) {
    const text = await answer.text();
    let said = { status: answer.status, title: answer.statusText, detail: text.slice(0, 300) };
    try {
      said = JSON.parse(text);
    } catch {
      // of a proxy, maybe
    }
    throw new Problem(said);
  }
  let rest = "";
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lots = (rest + value).split("\n\n");
    rest = lots.pop();
    for (const lot of lots) {
      const [, name, data] = /^event: ([^\n]*)\ndata: ([^]*)$/.exec(lot) ?? [];
      if (name) heard(name, JSON.parse(data));
    }
  }
}
