// Speaks PM2's messages over the IPC channel it gives its children: ready, numbers for `pm2 show` and `pm2 monit`,
// and a custom action. None of PM2's code is used.

import type { Notifier, NotifierOptions } from "./notify.ts";
import type { BoxStatus } from "./status.ts";

const NUMBERS_EVERY_MS = 1000;
const ACTION = "status";

export class Pm2Notifier implements Notifier {
  readonly #status: () => BoxStatus;
  /** Another parent with an IPC channel gets `ready` alone. */
  readonly #isPm2: boolean;
  readonly #onMessage = (message: unknown): void => this.#answer(message);
  #timer: NodeJS.Timeout | undefined;

  constructor({ env, status }: NotifierOptions) {
    this.#status = status;
    this.#isPm2 = env.pm_id !== undefined;
  }

  ready(): void {
    send("ready");
    if (!this.#isPm2) return;
    send({ type: "axm:action", data: { action_name: ACTION, action_type: "custom" } });
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

  /** PM2 sends the name alone, or with options. Its command line hangs until the answer comes. */
  #answer(message: unknown): void {
    const { msg = message } = Object(message) as { msg?: unknown };
    if (msg === ACTION) send({ type: "axm:reply", data: { action_name: ACTION, return: this.#status() } });
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
