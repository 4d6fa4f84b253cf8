// `allcores start`: runs the box in the foreground.

import cluster from "node:cluster";
import { AllcoresError } from "../errors.ts";
import { canStripTypes, findApp } from "./app-file.ts";
import { parseArguments } from "./arguments.ts";
import { OPTION_FLAGS, optionsHelp, resolveFromCommandLine } from "./option-flags.ts";
import type { Verb } from "./verb.ts";

const HELP = `Runs the box in the foreground. Without an app, the demo.

Usage: allcores start [APP] [FLAGS]

APP is a module whose default export is a function (io, box) or an object with \`setup\`. TypeScript runs on Node 22.18
and newer, or with \`tsx\` installed beside the app. When the box serves, the first line on stdout names its address.
Logs go to stderr.

SIGTERM and SIGINT drain, the second one ends at once. Exit codes: 0 ok, 64 usage, 69 port in use or a box is already
running, 70 internal, 78 configuration.

Every option can be given as flag, in the environment, or in the file of --config, in this order of precedence.

${optionsHelp()}`;

export const start: Verb = {
  name: "start",
  summary: "runs the box in the foreground; without an app, the demo",
  help: HELP,
  run: async (args, terminal) => {
    const { flags, positionals } = parseArguments("start", args, { flags: OPTION_FLAGS, maxPositionals: 1 });
    refuseClusterWorker();
    const { options } = resolveFromCommandLine(flags, process.env);
    const app = findApp(positionals[0], canStripTypes());
    // Loaded only here: the other verbs answer sooner without the box.
    const { runBox } = await import("./run-box.ts");
    return runBox({ options, app, terminal });
  },
};

/** With `instances` but no `exec_mode`, PM2 makes the box a worker of its own cluster: nothing here could fork. */
function refuseClusterWorker(): void {
  if (cluster.isPrimary) return;
  throw new AllcoresError(
    "ALLCORES_ERR_INVALID_OPTION",
    'This process is itself a cluster worker, so it cannot run a box. Under PM2 set `exec_mode: "fork"`: allcores starts the workers, one per core.',
  );
}
