// The console's own API. A failure is a Problem with the server's words, which say what to mend.

export class Problem extends Error {
  constructor(said) {
    super(said.detail);
    this.said = said;
  }
}

const at = (path) => new URL(path.replace(/^\//, ""), document.baseURI).href;

async function ask(method, path, { body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(at(path), {
      method,
      signal,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ status: 0, title: "NoAnswer", detail: "the console does not answer; it is tried again" });
  }
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("log-in"));
  const text = await answer.text();
  if (!answer.ok) throw new Problem(problemOf(answer, text));
  return text ? JSON.parse(text) : null;
}

function problemOf(answer, text) {
  try {
    return JSON.parse(text);
  } catch {
    return { status: answer.status, title: answer.statusText, detail: text.slice(0, 300) };
  }
}

export const get = (path, options) => ask("GET", path, options);
export const post = (path, body, options) => ask("POST", path, { body, ...options });
export const patch = (path, body, options) => ask("PATCH", path, { body, ...options });
export const put = (path, body, options) => ask("PUT", path, { body, ...options });
export const remove = (path, options) => ask("DELETE", path, options);

/** Server-sent events: `on` has a function for each event's name. Returns how to close it. */
export function follow(path, on, ended = () => {}) {
  const source = new EventSource(at(path));
  for (const [name, heard] of Object.entries(on)) {
    source.addEventListener(name, (event) => heard(JSON.parse(event.data)));
  }
  source.onerror = () => {
    source.close();
    ended();
  };
  return () => source.close();
}

/** A path of the API from parts that may hold anything but "." and "..", which browsers take as steps, also encoded. */
export function path(...parts) {
  const step = parts.find((part) => part === "." || part === "..");
  if (step) throw new Problem({ status: 400, title: "NoName", detail: `${step} cannot be part of an address; use Kafka's own tools for it` });
  return `/api/${parts.map(encodeURIComponent).join("/")}`;
}

/** A query from what is set. */
export function query(values) {
  const set = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
  return set.length ? `?${new URLSearchParams(set)}` : "";
}
