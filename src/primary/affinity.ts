// Knows which new clients belong together: asks the app's `affinity` function, or reads the query parameter that the
// operator named. The app's code runs in the primary for this, so whatever it does wrong is contained here.

import { AllcoresError } from "../errors.ts";
import { type AffinityFunction, importApp } from "../lib/app-module.ts";
import { withDeadline } from "../lib/deadline.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import { queryOf } from "../lib/request-target.ts";
import { parseRequestHead } from "./request-head.ts";
import type { RequestLine } from "./request-line.ts";

/** The module was quick enough in a worker; new clients wait meanwhile. */
const LOAD_DEADLINE_MS = 5000;

export interface AffinityOptions {
  readonly appUrl: string;
  /** Query parameter whose value is the key when the app has no function. Empty: none. */
  readonly queryName: string;
  readonly log: Logger;
  /** For the counters: called each time, where the log has it once. */
  readonly onError: (error: unknown) => void;
}

export class Affinity {
  readonly #options: AffinityOptions;
  #ofApp: AffinityFunction | undefined;
  #loaded: Promise<void> | undefined;
  #isLoading = false;
  #hasFailed = false;
  #renewals = 0;

  constructor(options: AffinityOptions) {
    this.#options = options;
  }

  /** The app's function is being imported: no key is right yet. */
  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Imports the app's function, the first time. Never rejects: without the function, clients go to the least loaded worker. */
  load(): Promise<void> {
    this.#loaded ??= this.#loadFirst();
    return this.#loaded;
  }

  /** Imports the function of the code that is on disk now. Never rejects: without it the one of before stays. */
  async renew(): Promise<void> {
    this.#renewals++;
    this.#hasFailed = false;
    this.#loaded = this.#import();
    await this.#loaded;
  }

  /** The app has no function any more. */
  forget(): void {
    this.#ofApp = undefined;
    this.#loaded = undefined;
  }

  /** The key of a new client, from the bytes of its first request and the line they begin with. Never throws. */
  keyOf(head: Buffer, line: RequestLine, remoteAddress: string): string | undefined {
    const { queryName } = this.#options;
    const key =
      this.#ofApp !== undefined
        ? this.#askApp(this.#ofApp, head, line, remoteAddress)
        : queryName !== "" && queryOf(line.target).get(queryName);
    return key || undefined;
  }

  async #loadFirst(): Promise<void> {
    this.#isLoading = true;
    await this.#import();
    this.#isLoading = false;
  }

  async #import(): Promise<void> {
    try {
      const importing = importApp(this.#options.appUrl, this.#renewals);
      const app = await withDeadline(importing, LOAD_DEADLINE_MS, "Importing the app");
      const { affinity } = Object(app) as { affinity?: unknown };
      if (typeof affinity !== "function") throw appError("the app's `affinity` is no function in the primary");
      this.#ofApp = affinity.bind(app) as AffinityFunction;
    } catch (error) {
      this.#fail(error);
    }
  }

  #askApp(affinity: AffinityFunction, head: Buffer, line: RequestLine, remoteAddress: string): string | undefined {
    try {
      const key: unknown = affinity(parseRequestHead(head, line, remoteAddress));
      if (typeof key === "string") return key;
      if (key === null || key === undefined) return undefined;
      // An async function: its rejection must not end the primary.
      if (key instanceof Promise) key.catch(() => {});
      throw appError(
        `the app's \`affinity\` must return a string or null, got ${key instanceof Promise ? "a promise" : typeof key}`,
      );
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    const { log, onError } = this.#options;
    onError(error);
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    log.error(
      errorFields(error),
      "affinity failed, clients go to the least loaded worker; said once, then only counted",
    );
  }
}

function appError(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_APP", message);
}
