// The app's task folder: one file, one task, named like the file without its extension.
// A name is only ever looked up in the folder's listing, so no name can lead out of it.

import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { isAbsolute, join, parse } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { AllcoresError, clauseOf } from "../errors.ts";
import { taskUnknownError } from "./task-errors.ts";

/** The first one wins when two files have one name: what was built goes before its source. */
const EXTENSIONS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];
const DECLARATION = /\.d\.[cm]?ts$/;

/** An unknown name makes the folder be read again, for files that were added, but not more often than this. */
const REREAD_AFTER_MS = 1000;

/** The folder as a file URL, from what the app calls `tasks`. Throws `ALLCORES_ERR_APP` when there is no such folder. */
export function findTaskFolder(tasks: URL | string): string {
  const url = taskFolderUrl(tasks);
  const path = fileURLToPath(url);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return url;
  throw new AllcoresError("ALLCORES_ERR_APP", `The app's \`tasks\` is ${path}, and there is no such folder.`);
}

/** As `findTaskFolder`, and does not look whether it is there. */
export function taskFolderUrl(tasks: URL | string): string {
  const text = String(tasks);
  if (isAbsolute(text)) return pathToFileURL(text).href;
  if (text.startsWith("file:") && URL.canParse(text)) return text;
  throw new AllcoresError(
    "ALLCORES_ERR_APP",
    `The app's \`tasks\` must be a file URL or an absolute path, got "${text}". Use new URL("./workers/", import.meta.url).`,
  );
}

type Listing = ReadonlyMap<string, string>;
const NOTHING: Listing = new Map();

export class TaskFolder {
  readonly #url: string;
  readonly #now: () => number;
  #listing: Promise<Listing> = Promise.resolve(NOTHING);
  #readAt = Number.NEGATIVE_INFINITY;

  /** `url` is a file URL. `now` is a clock in milliseconds. */
  constructor(url: string, now: () => number = performance.now.bind(performance)) {
    this.#url = url;
    this.#now = now;
  }

  /**
   * Path of the task's file. Rejects with `ALLCORES_ERR_TASK_UNKNOWN`, or with `ALLCORES_ERR_APP` when the folder
   * cannot be read.
   */
  async find(task: string): Promise<string> {
    const known = await this.#listing.catch(() => NOTHING);
    const files = known.has(task) ? known : await this.#reread();
    const file = files.get(task);
    if (file === undefined) throw taskUnknownError(task, [...files.keys()]);
    return file;
  }

  #reread(): Promise<Listing> {
    if (this.#now() - this.#readAt >= REREAD_AFTER_MS) {
      this.#readAt = this.#now();
      this.#listing = listTasks(this.#url);
    }
    return this.#listing;
  }
}

async function listTasks(url: string): Promise<Listing> {
  const folder = fileURLToPath(url);
  const names = await readdir(folder).catch((error: Error) => {
    throw new AllcoresError("ALLCORES_ERR_APP", `The task folder cannot be read: ${clauseOf(error)}.`, {
      cause: error,
    });
  });
  const files = new Map<string, string>();
  for (const extension of EXTENSIONS) {
    for (const fileName of names.sort()) {
      const { name, ext } = parse(fileName);
      if (ext === extension && !DECLARATION.test(fileName) && !files.has(name)) files.set(name, join(folder, fileName));
    }
  }
  return files;
}
