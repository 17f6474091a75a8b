// Elements from plain calls. Whatever comes from Kafka or Kubernetes becomes text or an attribute, never markup:
// nothing in this console writes innerHTML, so no name, message or manifest can bring a script along.

/** An element. Props: `onclick` and the like are listeners, `class`, `key` (finds itself again), else attributes. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  apply(element, props ?? {});
  element.append(...nodes(children));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for SVG. */
export function s(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  apply(element, props ?? {});
  element.append(...nodes(children));
  return element;
}

function apply(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name === "key") element.keyed = String(value);
    else if (name.startsWith("on")) {
      (element.listeners ??= {})[name] = value;
      element[name] = value;
    } else if (name === "value" || name === "checked" || name === "selected") {
      element[name] = value;
      (element.wished ??= {})[name] = value;
    } else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      if ((name === "href" || name === "src") && !isSafe(String(value))) continue;
      element.setAttribute(name, String(value));
    }
  }
}

/** Own paths and web addresses; never javascript: or data:. */
function isSafe(address) {
  return /^(https?:|mailto:|#|\/|\.|\?|[\w%.~-]+(\/|$|\?|#))/i.test(address) && !/^\s*(javascript|data|vbscript):/i.test(address);
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/** Make the children of `parent` look like these, with as little change as can be: focus, selection and scroll stay. */
export function show(parent, ...children) {
  morphChildren(parent, nodes(children));
}

function morphChildren(parent, wanted) {
  const keyed = new Map([...parent.childNodes].filter((one) => one.keyed).map((one) => [one.keyed, one]));
  let at = parent.firstChild;
  for (const next of wanted) {
    const same = next.keyed ? keyed.get(next.keyed) : at && !at.keyed ? at : null;
    if (same && isAlike(same, next)) {
      if (same === at) at = at.nextSibling;
      else parent.insertBefore(same, at);
      morph(same, next);
    } else {
      parent.insertBefore(next, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function isAlike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.keyed === other.keyed;
}

function morph(old, next) {
  if (old === next) return;
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !(name === "open" && old.localName === "details")) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const name of Object.keys(old.listeners ?? {})) if (!next.listeners?.[name]) old[name] = null;
  for (const [name, listener] of Object.entries(next.listeners ?? {})) old[name] = listener;
  old.listeners = next.listeners;
  // What somebody is typing stays; what the page wishes anew comes.
  for (const [name, value] of Object.entries(next.wished ?? {})) {
    const isTyped = name === "value" && old === document.activeElement;
    if (!isTyped && old.wished?.[name] !== value && old[name] !== value) old[name] = value;
  }
  old.wished = next.wished;
  if (typeof old.take === "function") old.take(next);
  else if (!old.isPage) morphChildren(old, [...next.childNodes]);
}

/** A word for the reader, seen and heard. */
export function tell(message, kind = "info") {
  const place = document.getElementById("told");
  const line = h("p", { class: `told ${kind}` }, message);
  place.append(line);
  setTimeout(() => line.remove(), kind === "problem" ? 12000 : 5000);
}
