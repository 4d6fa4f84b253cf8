// `allcores reload`: gives the running box the code that is now on disk, and waits until that is done or rolled back.

import { AllcoresError, EXIT } from "../errors.ts";
import type { ReloadReport } from "../primary/box-reload.ts";
import { callBox } from "../primary/control-client.ts";
import type { ReloadProgress } from "../primary/reload.ts";
import { parseArguments } from "./arguments.ts";
import { BOX_FLAGS, BOX_FLAGS_HELP, findAdminPort } from "./box-flags.ts";
import { createReloadDisplay } from "./reload-display.ts";
import { readSeconds } from "./seconds.ts";
import type { Terminal, Verb } from "./verb.ts";

const DEFAULT_TIMEOUT_S = 600;

const HELP = `Gives the running box the code that is now on disk, and waits: new workers come up, one after the other, and live
through their probation (reload.probationMs), then one old worker after the other moves its clients over and ends. Tasks
get a new cpu process. Options are those that the box was started with; to change one, or the version of allcores,
restart the box.

New code that does not start, is not ready in time or crashes within its probation ends the reload: the old workers
serve on with the old code. One reload at a time: a second one is refused.

Usage: allcores reload [--json] [--timeout SECONDS] [--admin-port N]

  --json
      One JSON object at the end, for scripts: what was done, or the error.
  --timeout SECONDS
      How long to wait here; the box goes on after that. [default ${DEFAULT_TIMEOUT_S}]
${BOX_FLAGS_HELP}

Exit codes: 0 the new code serves, 1 it was rolled back, refused or not done in time, 69 no box is running.`;

export const reload: Verb = {
  name: "reload",
  summary: "rolling reload of the running box; waits, and fails when it was rolled back",
  help: HELP,
  run: async (args, terminal) => {
    const { flags } = parseArguments("reload", args, {
      flags: { ...BOX_FLAGS, json: { type: "boolean" }, timeout: { type: "string" } },
    });
    const timeoutMs = readSeconds("--timeout", flags.timeout ?? String(DEFAULT_TIMEOUT_S)) * 1000;
    const call = callReload(findAdminPort(flags, process.env), timeoutMs, terminal);
    return flags.json === true ? reportForScripts(call, terminal) : reportForPeople(call, terminal);
  },
};

async function callReload(adminPort: number, timeoutMs: number, { err }: Terminal): Promise<ReloadReport> {
  const display = createReloadDisplay(err);
  try {
    const report = await callBox("reload", {
      adminPort,
      env: process.env,
      timeoutMs,
      lateAdvice: "The box goes on reloading. What comes of it is in its log.",
      onProgress: (progress) => display.show(progress as ReloadProgress),
    });
    return report as ReloadReport;
  } finally {
    display.end();
  }
}

async function reportForPeople(call: Promise<ReloadReport>, { out }: Terminal): Promise<number> {
  const { workers, cpu, durationMs } = await call;
  const what = `${workers === 1 ? "1 worker" : `${workers} workers`}${cpu ? " and the cpu process" : ""}`;
  out.write(`The new code serves: ${what} replaced in ${(durationMs / 1000).toFixed(1)} s.\n`);
  return EXIT.ok;
}

async function reportForScripts(call: Promise<ReloadReport>, { out }: Terminal): Promise<number> {
  const print = (result: object): void => void out.write(`${JSON.stringify(result, null, 2)}\n`);
  try {
    print({ ok: true, ...(await call) });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof AllcoresError) print({ ok: false, error: { code: error.code, message: error.message } });
    throw error;
  }
}
