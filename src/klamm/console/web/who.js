// Who is logged in, and what he may do: pages leave out what would be refused anyway. The server decides.

import { get } from "./api.js";

let me = null;
let asking = null;

/** {rbacEnabled, canLogOut, readOnly, userInfo}; null while nobody has logged in. */
export const who = () => me;

/** Asked once, and again after a failure. */
export function known() {
  asking ??= get("api/authorization").then(
    (answer) => (me = answer),
    () => (asking = null),
  );
  return asking;
}

const LOOKS = ["view", "messages_read", "analysis_view", "analysis_run"];

/** Without a name: for any. What is not known yet is not hidden. */
export function may(cluster, resource, action, name) {
  if (me?.readOnly.includes(cluster) && !LOOKS.includes(action)) return false;
  if (!me?.rbacEnabled) return true;
  return me.userInfo.permissions.some(
    (one) =>
      one.resource === resource &&
      one.actions.includes(action) &&
      (cluster === undefined || one.clusters.includes(cluster)) &&
      (name === undefined || fits(one.value, name)),
  );
}

function fits(pattern, name) {
  if (pattern === null || pattern === undefined) return true;
  try {
    return new RegExp(`^(?:${pattern})$`, "s").test(name);
  } catch {
    return true; // a pattern that only the server can read
  }
}
