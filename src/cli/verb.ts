// The contract of a CLI verb: one file a verb, one line in the register, verbs.ts.

import type { Writable } from "node:stream";

/** Where a verb prints. Report verbs print results to `out`; progress and advice go to `err`. */
export interface Terminal {
  readonly out: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly err: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

export interface Verb {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The whole text of `allcores NAME --help`. */
  readonly help: string;
  /** For a verb whose flags depend on its arguments: its text with --help among them. `undefined`: as `help`. */
  readonly helpOf?: (args: readonly string[]) => string | undefined;
  /**
   * Runs the verb with the arguments after its name and resolves to the exit code.
   * An error thrown here is printed, and its code chooses the exit code (see `exitCodeOf`).
   */
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<number>;
}
