// Reads the JSON file of `--config`; what may be in it is the business of resolve.ts.

import { readFileSync } from "node:fs";
import { AllcoresError, clauseOf } from "../errors.ts";
import { findJsonError } from "../lib/json-error.ts";

/** Throws `ALLCORES_ERR_INVALID_OPTION` when the file cannot be read or is no JSON, and says in which line. */
export function readConfigFile(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    const { line, column, expected } = findJsonError(text);
    throw configError(`${path}:${line}:${column} is no valid JSON: ${expected} expected.`, error);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw configError(`The configuration file cannot be read: ${clauseOf(error)}.`, error);
  }
}

function configError(message: string, cause: unknown): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_INVALID_OPTION", message, { cause });
}
