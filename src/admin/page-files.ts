// The files of the dashboard page, read once. Only what is in the folder can be asked for, by its exact name.

import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { Reply } from "./reply.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const INDEX = "index.html";

/** The replies by their path: `/` and one for each file. */
export async function readPageFiles(folder: URL): Promise<ReadonlyMap<string, Reply>> {
  const names = (await readdir(folder)).filter((name) => extname(name) in TYPES);
  const entries = names.map(async (name): Promise<[string, Reply]> => {
    const reply = { status: 200, type: TYPES[extname(name)] ?? "", body: await readFile(new URL(name, folder)) };
    return [name === INDEX ? "/" : `/${name}`, reply];
  });
  return new Map(await Promise.all(entries));
}
