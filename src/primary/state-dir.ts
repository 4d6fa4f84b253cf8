// Where a box keeps what has to outlive it: a folder of its user's own.
// $STATE_DIRECTORY (systemd), else $XDG_STATE_HOME/allcores, else ~/.local/state/allcores.

import { lstat, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { AllcoresError, clauseOf } from "../errors.ts";

/** Makes sure that the folder is there and its user's own. Rejects with `ALLCORES_ERR_HUB_STATE`. */
export async function openStateDir(env: NodeJS.ProcessEnv): Promise<string> {
  const path = stateDirOf(env);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const stats = await lstat(path);
    if (!stats.isDirectory()) throw new Error("it is no folder");
    if (stats.uid !== process.getuid?.()) throw new Error("it belongs to another user");
    if ((stats.mode & 0o022) !== 0) throw new Error("others may write to it");
    return path;
  } catch (error) {
    throw new AllcoresError(
      "ALLCORES_ERR_HUB_STATE",
      `The state directory ${path} cannot be used: ${clauseOf(error)}. Set STATE_DIRECTORY to a folder of your own.`,
      { cause: error },
    );
  }
}

/** The path of the saved hub of the box whose admin listener has `adminPort`: the port names the box. */
export function hubStatePath(stateDir: string, adminPort: number): string {
  return join(stateDir, `hub-${adminPort}.state`);
}

function stateDirOf(env: NodeJS.ProcessEnv): string {
  const [fromSystemd] = (env.STATE_DIRECTORY ?? "").split(delimiter);
  if (fromSystemd !== undefined && fromSystemd !== "") return fromSystemd;
  return join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "allcores");
}
