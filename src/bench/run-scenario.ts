// The load side's door: checks a plan against a target, fills in the defaults, and runs it.

import { AllcoresError } from "../errors.ts";
import type { AppProtocol, Params, RunScenario, ScenarioPlan, Target } from "./contract.ts";
import { MAX_MESSAGES_PER_CLIENT } from "./load/frame-template.ts";
import { MAX_CLIENTS } from "./load/payload.ts";
import type { LoadScript } from "./load/script.ts";
import { resolveParams } from "./params.ts";
import { BENCH_PROTOCOL } from "./protocols.ts";
import type { Scenario } from "./scenario.ts";
import { ScenarioRun } from "./scenario-run.ts";
import { findScenario } from "./scenarios.ts";
import { DEFAULT_LOAD_LIMITS } from "./void-reasons.ts";

const DEFAULT_LOAD_PROCESSES = 2;
const MAX_LOAD_PROCESSES = 64;
const DEFAULT_SETTLE_QUIET_MS = 5000;
const DEFAULT_CONNECT_DEADLINE_MS = 5000;
const DEFAULT_CONNECT_RETRY_MS = 20_000;

/**
 * Runs one scenario against one target. Rejects with ALLCORES_ERR_USAGE for a plan that cannot be run, and with
 * ALLCORES_ERR_BENCH when the load side fails or the signal ends it. A server that fails is not an error, but a result.
 */
export const runScenario: RunScenario = async (plan, target, watch = {}) => {
  const { protocol = BENCH_PROTOCOL, loadProcesses = DEFAULT_LOAD_PROCESSES } = plan;
  const scenario = findScenario(plan.scenario);
  const params: Params = resolveParams(scenario.params, plan.params);
  checkTarget(target, scenario, plan);
  if (!(loadProcesses >= 1 && loadProcesses <= MAX_LOAD_PROCESSES)) {
    throw usage(`There can be 1 to ${MAX_LOAD_PROCESSES} load processes, not ${loadProcesses}.`);
  }

  const run = new ScenarioRun({
    scenario,
    params,
    script: composeScript(scenario, params, protocol, target),
    target,
    loadProcesses,
    loadLimits: { ...DEFAULT_LOAD_LIMITS, ...plan.loadLimits },
    settleQuietMs: plan.settleQuietMs ?? DEFAULT_SETTLE_QUIET_MS,
    warmupMs: Number(params.warmupSeconds) * 1000,
    measuredMs: Number(params.seconds) * 1000,
    watch,
  });
  const stop = (): void => void run.close();
  watch.signal?.addEventListener("abort", stop, { once: true });
  try {
    return await run.run();
  } catch (error) {
    if (watch.signal?.aborted !== true) throw error;
    throw new AllcoresError("ALLCORES_ERR_BENCH", "The run was stopped before its end.", { cause: error });
  } finally {
    watch.signal?.removeEventListener("abort", stop);
    await run.close();
  }
};

function checkTarget(target: Target, scenario: Scenario, plan: ScenarioPlan): void {
  const events = plan.protocol?.events ?? BENCH_PROTOCOL.events;
  for (const url of target.urls) checkUrl(url, plan.iOwnThisServer === true);
  for (const need of scenario.needs) {
    if (target.control?.[need] === undefined) throw usage(`"${scenario.name}" needs a target with \`${need}\`.`);
  }
  for (const event of scenario.events) {
    if (events[event] === undefined) throw usage(`"${scenario.name}" needs an app protocol with \`events.${event}\`.`);
  }
}

function checkUrl(url: string, mayBeForeign: boolean): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "http:") throw usage(`A target's address must be http://HOST:PORT, got "${url}".`);
  if (mayBeForeign || isLoopback(parsed.hostname)) return;
  throw usage(`${url} is not a loopback address. Give --i-own-this-server to load a server that is yours.`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function composeScript(scenario: Scenario, params: Params, protocol: AppProtocol, target: Target): LoadScript {
  const script: LoadScript = {
    protocol,
    urls: target.urls,
    payloadBytes: Number(params.payloadBytes ?? 0),
    connectsPerSecond: Number(params.connectRate),
    connectDeadlineMs: DEFAULT_CONNECT_DEADLINE_MS,
    connectRetryMs: DEFAULT_CONNECT_RETRY_MS,
    asksSlot: true,
    tellsRoom: false,
    acksPublishes: false,
    ...scenario.script(params, target.urls.length),
  };
  checkSize(scenario, script, Number(params.warmupSeconds) + Number(params.seconds));
  if (script.acksPublishes && !protocol.events.publish?.ack) {
    throw usage(`"${scenario.name}" needs an app protocol whose \`publish\` is acked.`);
  }
  return script;
}

/** The head of a message has room for so many clients and numbers; more would be read as other ones. */
function checkSize({ name }: Scenario, { clients, flows }: LoadScript, seconds: number): void {
  if (clients.length > MAX_CLIENTS)
    throw usage(`"${name}" would have ${clients.length} clients, of at most ${MAX_CLIENTS}.`);
  for (const [index, { ratePerSecond }] of flows.entries()) {
    const senders = clients.filter(({ flow, bornMs }) => flow === index && bornMs === undefined).length;
    if (!((ratePerSecond * seconds) / senders <= MAX_MESSAGES_PER_CLIENT)) {
      throw usage(`"${name}" would send more than ${MAX_MESSAGES_PER_CLIENT} messages a client: fewer or shorter.`);
    }
  }
}

function usage(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", message);
}
