// Tests that need a program of the machine (redis-server, promtool, ...). Without it they are skipped, loudly;
// with ALLCORES_TEST_REQUIRE_ALL=1 they fail, so that no skip goes unnoticed where everything is installed.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";

/** Whether `command` is an executable in PATH. */
export function hasCommand(command: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, command)));
}

/** A `describe` whose tests run only when every one of `commands` is in PATH. */
export function describeWith(commands: string | readonly string[], title: string, tests: () => void): void {
  const missing = [commands].flat().filter((command) => !hasCommand(command));
  if (missing.length === 0) {
    describe(title, tests);
    return;
  }

  const reason = `${missing.join(", ")} not in PATH`;
  if (process.env.ALLCORES_TEST_REQUIRE_ALL === "1") {
    test(title, () => {
      throw new Error(`${reason}, and ALLCORES_TEST_REQUIRE_ALL=1 wants all tests to run.`);
    });
    return;
  }
  console.warn(`SKIPPED ${title}: ${reason}`);
  describe.skip(`${title} (${reason})`, tests);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
