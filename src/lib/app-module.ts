// What every process of the box knows of the app module: how it is imported, and the one function of it that the
// primary calls. What else an app is made of concerns the socket workers alone.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { AllcoresError, clauseOf } from "../errors.ts";

/** The head of a connection's first request, as the app's `affinity` sees it. */
export interface RequestHead {
  readonly method: string;
  /** Without the query: `/socket.io/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. Values of a header that came several times are joined with a comma, cookies with `; `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The client's. Behind a proxy that the option `trustProxy` does not name, the proxy's. */
  readonly remoteAddress: string;
}

/** The key that keeps clients together on one worker. None, or an empty one: the client may go anywhere. */
export type AffinityFunction = (head: RequestHead) => string | null | undefined;

/**
 * Imports the app module and gives its default export. Rejects with `ALLCORES_ERR_APP`, the original error as its cause.
 * Node keeps a module for ever: another `version` of it is read from disk anew, what it imports itself is not.
 */
export async function importApp(url: string, version = 0): Promise<unknown> {
  if (version > 0) delete createRequire(url).cache[fileURLToPath(url)];
  const module: unknown = await import(version > 0 ? `${url}?version=${version}` : url).catch((thrown: unknown) => {
    const path = fileURLToPath(url);
    // Node tells the line of a syntax error to nobody but the terminal.
    const advice = thrown instanceof SyntaxError ? `. \`node ${path}\` shows where` : "";
    throw new AllcoresError("ALLCORES_ERR_APP", `${path}: ${clauseOf(thrown)}${advice}.`, { cause: thrown });
  });
  return defaultExport(module);
}

/** A transpiled CommonJS module has its default export one level deeper. */
function defaultExport(module: unknown): unknown {
  const { default: outer } = module as { default?: unknown };
  const { default: inner, __esModule: isTranspiled } = Object(outer) as { default?: unknown; __esModule?: unknown };
  return isTranspiled === true ? inner : outer;
}
