// How a reload is shown while it runs: one line that is drawn anew on a terminal, a line a step elsewhere.

import type { ReloadProgress } from "../primary/reload.ts";
import type { Terminal } from "./verb.ts";

export interface ReloadDisplay {
  show(progress: ReloadProgress): void;
  /** Makes room for what is printed next. */
  end(): void;
}

const BAR_WIDTH = 24;
const ERASE_LINE = "\r\u001b[2K";

export function createReloadDisplay(err: Terminal["err"]): ReloadDisplay {
  if (err.isTTY !== true) {
    return { show: (progress) => void err.write(`reload: ${stepText(progress)}\n`), end: () => {} };
  }
  return {
    show: (progress) => void err.write(`${ERASE_LINE}${bar(progress)} ${stepText(progress)}`),
    end: () => void err.write(ERASE_LINE),
  };
}

function bar({ share, done, total }: ReloadProgress): string {
  const filled = Math.floor(share * BAR_WIDTH);
  return `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${done}/${total}`;
}

function stepText({ step, slots }: ReloadProgress): string {
  const where = `${slots.length === 1 ? "slot" : "slots"} ${slots.join(", ")}`;
  switch (step) {
    case "starting":
      return `${where}: the new code starts`;
    case "probation":
      return `${where}: the new code is on probation`;
    case "draining":
      return `${where}: clients move to the new code`;
    case "cpu":
      return "the cpu process is replaced";
  }
}
