// JSON as it was written: a number stays the text that it is, for JavaScript's own numbers lose what is beyond 2^53.

class Num {
  constructor(text) {
    this.text = text;
  }
}

/** Objects become Maps, numbers their text; throws SyntaxError for what is no JSON. */
export function parse(text) {
  JSON.parse(text); // what is wrong is told by the engine; below everything is as it must be
  const token = /\s*([{}[\]:,]|"(?:[^"\\]|\\.)*"|[^\s{}[\]:,"]+)/gy;
  const next = () => token.exec(text)[1];
  const value = (first) => {
    if (first === "{") {
      const found = new Map();
      let at = next();
      while (at !== "}") {
        const name = JSON.parse(at);
        next();
        found.set(name, value(next()));
        if ((at = next()) === ",") at = next();
      }
      return found;
    }
    if (first === "[") {
      const found = [];
      let at = next();
      while (at !== "]") {
        found.push(value(at));
        if ((at = next()) === ",") at = next();
      }
      return found;
    }
    if (first[0] === '"') return JSON.parse(first);
    if (first === "true" || first === "false") return first === "true";
    return first === "null" ? null : new Num(first);
  };
  return value(next());
}

/** With two spaces a level. */
export function pretty(value, indent = "") {
  const deeper = `${indent}  `;
  if (value instanceof Map) {
    const lines = [...value].map(([name, one]) => `${deeper}${JSON.stringify(name)}: ${pretty(one, deeper)}`);
    return lines.length ? `{\n${lines.join(",\n")}\n${indent}}` : "{}";
  }
  if (Array.isArray(value)) return value.length ? `[\n${value.map((one) => deeper + pretty(one, deeper)).join(",\n")}\n${indent}]` : "[]";
  return value instanceof Num ? value.text : JSON.stringify(value);
}

/** What is at a path like `customer.address[0].city`; undefined when there is nothing. */
export function at(value, path) {
  let found = value;
  for (const part of path.replace(/^\$\.?/, "").match(/[^.[\]]+/g) ?? []) {
    if (found instanceof Map) found = found.get(part);
    else if (Array.isArray(found)) found = found[Number(part)];
    else return undefined;
  }
  return found;
}

/** On one line, strings without quotes. */
export function brief(value) {
  if (value === undefined) return "";
  return typeof value === "string" ? value : pretty(value).replace(/\n\s*/g, " ");
}
