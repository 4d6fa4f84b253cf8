// Which file is the app, and with which Node flags its TypeScript runs.

import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AllcoresError } from "../errors.ts";

export interface AppFile {
  readonly url: URL;
  /** Node flags that the processes which load the app need. */
  readonly execArgv: readonly string[];
}

const DEMO_URL = new URL("../demo/app.js", import.meta.url);

/**
 * Finds the app file; without a path it is the demo. Throws `ALLCORES_ERR_USAGE` when there is none, or when it is
 * TypeScript and neither this Node nor the app's own `tsx` can run it.
 *
 * @param canStripTypes whether this Node runs TypeScript by itself
 */
export function findApp(path: string | undefined, canStripTypes: boolean): AppFile {
  if (path === undefined) return { url: DEMO_URL, execArgv: [] };

  const absolute = resolve(path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined)
    throw usageError(
      `There is no app file ${absolute}. Name one, as in \`allcores start app.js\`; without a name the demo runs.`,
    );
  if (!stats.isFile()) throw usageError(`${absolute} is no file. Name the file of the app, as in \`app.js\`.`);

  const needsLoader = /\.[cm]?ts$/.test(absolute) && !canStripTypes;
  return { url: pathToFileURL(absolute), execArgv: needsLoader ? ["--import", findTsx(absolute)] : [] };
}

/** Whether this Node runs TypeScript by itself: 22.18 and newer do. */
export function canStripTypes(): boolean {
  const { typescript } = process.features as { typescript?: false | "strip" | "transform" };
  return typeof typescript === "string";
}

function findTsx(appPath: string): string {
  try {
    return pathToFileURL(createRequire(appPath).resolve("tsx")).href;
  } catch (error) {
    throw usageError(
      `${appPath} is TypeScript, which Node ${process.versions.node} does not run by itself. Use Node 22.18 or newer, or \`npm install tsx\` beside the app, or compile it.`,
      error,
    );
  }
}

function usageError(message: string, cause?: unknown): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", message, { cause });
}
