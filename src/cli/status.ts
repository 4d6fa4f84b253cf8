// `allcores status`: one look at the running box.

import { EXIT } from "../errors.ts";
import { callBox } from "../primary/control-client.ts";
import type { BoxStatus, WorkerState } from "../primary/status.ts";
import { parseArguments } from "./arguments.ts";
import { BOX_FLAGS, BOX_FLAGS_HELP, findAdminPort } from "./box-flags.ts";
import { alignColumns } from "./columns.ts";
import { type Colour, paint } from "./paint.ts";
import type { Terminal, Verb } from "./verb.ts";

const TIMEOUT_MS = 5000;

const HELP = `Shows the running box: its workers, connections, event-loop lag, pool, presence and Redis.

Usage: allcores status [--json] [--admin-port N]

  --json
      One JSON object, for scripts.
${BOX_FLAGS_HELP}

Exit codes: 0 ok, 69 no box is running.`;

const STATE_COLOURS: Record<WorkerState, Colour> = {
  starting: "yellow",
  ready: "green",
  draining: "yellow",
  gone: "red",
};

export const status: Verb = {
  name: "status",
  summary: "shows the running box: workers, connections, lag, pool, presence, Redis",
  help: HELP,
  run: async (args, terminal) => {
    const { flags } = parseArguments("status", args, { flags: { ...BOX_FLAGS, json: { type: "boolean" } } });
    const adminPort = findAdminPort(flags, process.env);
    const answer = await callBox("status", {
      adminPort,
      env: process.env,
      timeoutMs: TIMEOUT_MS,
      lateAdvice: "Its primary hangs, or the machine has too much to do: see its log.",
    });

    const isForScripts = flags.json === true;
    terminal.out.write(
      isForScripts ? `${JSON.stringify(answer, null, 2)}\n` : describeForPeople(answer as BoxStatus, terminal),
    );
    return EXIT.ok;
  },
};

function describeForPeople(box: BoxStatus, { out }: Terminal): string {
  const { cpu, presence, redis } = box;
  const facts = [
    ["box", `${paint(out, "bold", box.state)}, pid ${box.pid}, since ${box.startedAt}, allcores ${box.version}`],
    ["clients", box.url],
    ["admin", box.adminUrl],
    ["pool", `${cpu.state}, ${cpu.running} running, ${cpu.queued} queued, ${cpu.threads} threads`],
    ["presence", `${presence.members} members in ${presence.rooms} rooms`],
    ["redis", redis === null ? "not used" : `${redis.state}: ${redis.detail}`],
  ];
  const head = ["slot", "state", "pid", "connections", "lag", "memory", "restarts"];
  const workers = box.workers.map((worker) => [
    String(worker.slot),
    worker.stalledMs === 0
      ? paint(out, STATE_COLOURS[worker.state], worker.state)
      : paint(out, "red", `stalled ${Math.round(worker.stalledMs / 1000)} s`),
    String(worker.pid ?? "-"),
    String(worker.connections),
    `${Math.round(worker.loopLagMs)} ms`,
    `${Math.round(worker.memoryBytes / 1_048_576)} MB`,
    String(worker.restarts),
  ]);
  return `${alignColumns(facts)}\n${alignColumns([head.map((cell) => paint(out, "gray", cell)), ...workers])}`;
}
