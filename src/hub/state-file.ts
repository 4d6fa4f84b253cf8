// The file in which a stopped box leaves the state of its hub to the next one. Taken up once, if it is ours and fresh;
// anything else is set aside: a few such files are kept for whoever wants to know what they were.

import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AllcoresError, toError } from "../errors.ts";
import type { HubState } from "./hub-state.ts";
import { encodeState, type StateHeader, StateReader } from "./state-codec.ts";

export interface StateFileOptions {
  readonly path: string;
  /** What a header must say to be ours. `hostname` or `bootId` is enough: a container gets a new name, a boot a new id. */
  readonly owner: Omit<StateHeader, "savedAt">;
  /** How long a saved state can be taken up, in milliseconds. */
  readonly windowMs: number;
}

const MAX_SET_ASIDE = 2;
/** Clocks may have been set back a little meanwhile. */
const MAX_CLOCK_SKEW_MS = 5000;

export class StateFile {
  readonly #options: StateFileOptions;

  constructor(options: StateFileOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
  }

  get #temporary(): string {
    return `${this.path}.tmp`;
  }

  /**
   * Reads what the last box saved; `undefined` when it saved nothing. The file stays until `consume`.
   * Rejects with `ALLCORES_ERR_HUB_STATE` when it must not be used, and has set it aside then.
   */
  async read(now: number): Promise<HubState | undefined> {
    try {
      await rm(this.#temporary, { force: true });
      const file = await openExisting(this.path);
      if (file === undefined) return undefined;
      try {
        return await this.#readFrom(file, now);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw stateError(`${this.path} is not taken up and ${this.#setAside()}`, error);
    }
  }

  /** Call it before anybody is served from what `read` gave: nobody can read it again. Throws `ALLCORES_ERR_HUB_STATE`. */
  consume(): void {
    try {
      rmSync(this.path, { force: true });
      const folder = openSync(dirname(this.path), "r");
      fsyncSync(folder);
      closeSync(folder);
    } catch (error) {
      throw stateError(`${this.path} cannot be removed, so that it must not be used`, error);
    }
  }

  /** Saves a state: all of it, or nothing when `signal` fires before. Rejects with `ALLCORES_ERR_HUB_STATE`. */
  async write(state: HubState, now: number, signal: AbortSignal): Promise<void> {
    const temporary = this.#temporary;
    try {
      // Before the first wait: other boxes may go on saying things to the hub.
      const chunks = encodeState({ ...this.#options.owner, savedAt: now }, state);
      await rm(temporary, { force: true });
      const file = await open(temporary, "wx", 0o600);
      try {
        await writeAll(file, chunks, signal);
        await file.sync();
      } finally {
        await file.close();
      }
      signal.throwIfAborted();
      await rename(temporary, this.path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw stateError(`The state of the hub is not saved at ${this.path}`, error);
    }
  }

  async #readFrom(file: FileHandle, now: number): Promise<HubState> {
    const stats = await file.stat();
    if (!stats.isFile()) throw refused("it is no file");
    if (stats.uid !== process.getuid?.()) throw refused("it belongs to another user");
    if ((stats.mode & 0o077) !== 0) throw refused("others may read or write it");

    const reader = new StateReader((bytes) => readExactly(file, bytes), stats.size);
    const header = await reader.header();
    this.#checkOwner(header);
    const ageMs = now - header.savedAt;
    if (!(ageMs <= this.#options.windowMs)) throw refused(`it was saved ${Math.round(ageMs / 1000)} s ago`);
    if (!(ageMs >= -MAX_CLOCK_SKEW_MS)) throw refused("it was saved at a time that is still to come");
    return reader.state();
  }

  #checkOwner({ build, app, hostname, bootId }: StateHeader): void {
    const { owner } = this.#options;
    if (build !== owner.build) throw refused(`it is of ${build}, and this is ${owner.build}`);
    if (app !== owner.app) throw refused(`it is of the app ${app}, and this is ${owner.app}`);
    const isSameBox = hostname === owner.hostname || (bootId !== "" && bootId === owner.bootId);
    if (!isSameBox) throw refused(`it is of another machine, ${hostname}`);
  }

  /** Returns what became of it. */
  #setAside(): string {
    const nameOf = (age: number): string => `${this.path}.rejected-${age}`;
    try {
      rmSync(nameOf(MAX_SET_ASIDE), { recursive: true, force: true });
      for (let age = MAX_SET_ASIDE - 1; age > 0; age--) renameIfThere(nameOf(age), nameOf(age + 1));
      renameIfThere(this.path, nameOf(1));
      return `is set aside as ${nameOf(1)}`;
    } catch (error) {
      return `cannot be set aside (${toError(error).message})`;
    }
  }
}

/** Not a link that somebody else may have put there, and no pipe that would wait for its other end. */
async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readExactly(file: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(buffer, at, bytes - at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[], signal: AbortSignal): Promise<void> {
  for (const chunk of chunks) {
    signal.throwIfAborted();
    let at = 0;
    while (at < chunk.length) at += (await file.write(chunk, at)).bytesWritten;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function refused(why: string): Error {
  return new Error(`${why}.`);
}

function stateError(what: string, cause: unknown): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_HUB_STATE", `${what}: ${toError(cause).message}`, { cause });
}
