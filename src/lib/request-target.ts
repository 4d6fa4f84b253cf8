// What a request target (RFC 9112, section 3.2) asks for. The router and the socket workers must read it alike, and as
// Engine.IO does: a session that one of them sees and the other does not would be uncounted, or at the wrong worker.

/** The query of a request target, in origin-form or absolute-form. Never throws: a client may send anything. */
export function queryOf(target: string): URLSearchParams {
  const [shown = ""] = target.split("#", 1);
  const start = shown.indexOf("?");
  // With its question mark, since one is taken off: a second one belongs to the first name.
  return new URLSearchParams(start === -1 ? "" : shown.slice(start));
}

/** The path of `/path?query`, and of `http://host/path?query` as a proxy may send it. */
export function pathOf(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  const end = path.search(/[?#]/);
  return end === -1 ? path : path.slice(0, end);
}

/** The Engine.IO session that a request names: by the last of several, and by none that is empty. */
export function sessionIdIn(target: string): string | undefined {
  // The name may be percent-encoded too.
  if (!target.includes("sid=") && !target.includes("%")) return undefined;
  return queryOf(target).getAll("sid").at(-1) || undefined;
}
