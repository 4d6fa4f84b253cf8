// Speaks PM2's messages over the IPC channel it gives its children: ready, numbers for `pm2 show` and `pm2 monit`,
// and custom actions. None of PM2's code is used.

import type { Notifier, NotifierOptions } from "./notify.ts";
import type { BoxStatus } from "./status.ts";

const NUMBERS_EVERY_MS = 1000;
/**
 * `pm2 trigger` learns by one socket how many answers to wait for and gets them by another. One that is read first is not
 * counted (PM2 7.0, lib/API/Extra.js), and the command line hangs for ever. So no answer comes that early, in milliseconds.
 */
const ANSWER_AFTER_MS = 250;

export class Pm2Notifier implements Notifier {
  readonly #status: () => BoxStatus;
  /** By name; what each returns is PM2's answer. Its command line hangs until that comes. */
  readonly #actions: ReadonlyMap<string, () => unknown>;
  /** Another parent with an IPC channel gets `ready` alone. */
  readonly #isPm2: boolean;
  readonly #onMessage = (message: unknown): void => this.#answer(message);
  #timer: NodeJS.Timeout | undefined;

  constructor({ env, status, reload }: NotifierOptions) {
    this.#status = status;
    this.#actions = new Map<string, () => unknown>([
      ["status", status],
      [
        "reload",
        () => {
          reload();
          return "The reload has begun. The log says what comes of it.";
        },
      ],
    ]);
    this.#isPm2 = env.pm_id !== undefined;
  }

  ready(): void {
    send("ready");
    if (!this.#isPm2) return;
    for (const name of this.#actions.keys()) {
      send({ type: "axm:action", data: { action_name: name, action_type: "custom" } });
    }
    process.on("message", this.#onMessage);
    this.#sendNumbers();
    this.#timer = setInterval(() => this.#sendNumbers(), NUMBERS_EVERY_MS);
  }

  stopping(): void {}

  async close(): Promise<void> {
    clearInterval(this.#timer);
    process.off("message", this.#onMessage);
  }

  #sendNumbers(): void {
    send({ type: "axm:monitor", data: numbersOf(this.#status()) });
  }

  /** PM2 sends the name alone, or with options. */
  #answer(message: unknown): void {
    const { msg = message } = Object(message) as { msg?: unknown };
    const action = typeof msg === "string" ? this.#actions.get(msg) : undefined;
    if (action === undefined) return;
    const reply = { type: "axm:reply", data: { action_name: msg, return: action() } };
    setTimeout(() => send(reply), ANSWER_AFTER_MS).unref();
  }
}

function numbersOf({ workers, cpu }: BoxStatus): Record<string, { value: number | string; unit?: string }> {
  const ready = workers.filter(({ state }) => state === "ready").length;
  return {
    Connections: { value: workers.reduce((sum, { connections }) => sum + connections, 0) },
    Workers: { value: `${ready}/${workers.length}` },
    "Loop lag": { value: Math.round(Math.max(0, ...workers.map(({ loopLagMs }) => loopLagMs))), unit: "ms" },
    "Pool queue": { value: cpu.queued },
  };
}

/** PM2 may be gone, and with it the channel: the box goes on without. */
function send(message: unknown): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}
