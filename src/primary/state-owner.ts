// Says whose the saved state of a hub is: which build, app and machine. The app is named in words that stay the same when
// it is deployed to another folder: its package's name and its file therein. Without a named package it is its path.

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILD } from "../bus/build.ts";
import type { StateFileOptions } from "../hub/state-file.ts";

const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";

export function stateOwner(appUrl: URL): StateFileOptions["owner"] {
  const [nodeMajor] = process.versions.node.split(".");
  return { build: `${BUILD} on Node ${nodeMajor}`, app: nameOfApp(appUrl), hostname: hostname(), bootId: readBootId() };
}

function nameOfApp(appUrl: URL): string {
  const path = fileURLToPath(appUrl);
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const name = packageNameIn(folder);
    if (name !== undefined) return `${name}/${relative(folder, path)}`;
  }
  return path;
}

function packageNameIn(folder: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: unknown };
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return undefined;
  }
}

function readBootId(): string {
  try {
    return readFileSync(BOOT_ID_FILE, "utf8").trim();
  } catch {
    return "";
  }
}
