// `allcores stop`: drains and stops the running box, and waits until it is gone.

import { EXIT } from "../errors.ts";
import { callBox } from "../primary/control-client.ts";
import type { StopProgress } from "../primary/control-verbs.ts";
import { parseArguments } from "./arguments.ts";
import { BOX_FLAGS, BOX_FLAGS_HELP, findAdminPort } from "./box-flags.ts";
import { readSeconds } from "./seconds.ts";
import type { Verb } from "./verb.ts";

const DEFAULT_TIMEOUT_S = 60;

const HELP = `Drains and stops the running box, and waits until it is gone: no new connections, clients are told to
reconnect, tasks in flight finish. How long the box waits for them is its option supervisor.drainTimeoutMs.

Usage: allcores stop [--timeout SECONDS] [--admin-port N]

  --timeout SECONDS
      How long to wait here; the box goes on draining after that. [default ${DEFAULT_TIMEOUT_S}]
${BOX_FLAGS_HELP}

Exit codes: 0 it is gone, 1 it was not in time, 69 no box is running.`;

export const stop: Verb = {
  name: "stop",
  summary: "drains and stops the running box",
  help: HELP,
  run: async (args, { err }) => {
    const { flags } = parseArguments("stop", args, { flags: { ...BOX_FLAGS, timeout: { type: "string" } } });
    const timeoutMs = readSeconds("--timeout", flags.timeout ?? String(DEFAULT_TIMEOUT_S)) * 1000;
    let last = "";

    await callBox("stop", {
      adminPort: findAdminPort(flags, process.env),
      env: process.env,
      timeoutMs,
      lateAdvice: "The box goes on draining. SIGTERM to its pid (`allcores status`) ends it at once.",
      awaitEnd: true,
      onProgress: (progress) => {
        const text = progressText(progress as StopProgress);
        if (text !== last) err.write(`${text}\n`);
        last = text;
      },
    });
    err.write("The box is stopped.\n");
    return EXIT.ok;
  },
};

function progressText({ connections, tasks }: StopProgress): string {
  return `draining: ${connections} connections, ${tasks} tasks left`;
}
