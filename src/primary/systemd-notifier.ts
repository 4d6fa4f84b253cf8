// Reports to systemd by running systemd-notify, since Node has no datagram unix sockets. The unit therefore needs
// NotifyAccess=all: the message comes from a child of the main process.

import { execFile } from "node:child_process";
import { settledWithin } from "../lib/deadline.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import type { Notifier, NotifierOptions } from "./notify.ts";
import { type BoxStatus, isWell } from "./status.ts";

/** systemd-notify waits until the manager has read the message. */
const RUN_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 1000;

export class SystemdNotifier implements Notifier {
  readonly #log: Logger;
  readonly #status: () => BoxStatus;
  readonly #isRouterWell: () => Promise<boolean>;
  readonly #env: NodeJS.ProcessEnv;
  readonly #watchdogMs: number | undefined;
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #hasFailed = false;
  #wasWell = true;
  #isStopping = false;

  constructor({ systemd, env, log, status, isRouterWell }: NotifierOptions) {
    this.#log = log;
    this.#status = status;
    this.#isRouterWell = isRouterWell;
    this.#env = { PATH: env.PATH, NOTIFY_SOCKET: systemd.notifySocket };
    this.#watchdogMs = systemd.watchdogMs;
  }

  ready(): void {
    this.#send("--ready", `--status=${summaryOf(this.#status())}`);
    if (this.#watchdogMs !== undefined) this.#timer = setInterval(() => void this.#ping(), this.#watchdogMs / 2);
  }

  stopping(): void {
    this.#isStopping = true;
    clearInterval(this.#timer);
    this.#send("STOPPING=1", "--status=draining");
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await settledWithin(this.#last, CLOSE_TIMEOUT_MS);
  }

  /** That this timer fires shows that the loop turns; the status tells about the workers, and the router is asked. */
  async #ping(): Promise<void> {
    const status = this.#status();
    const fault = isWell(status) ? await this.#routerFault() : "no worker is well";
    if (this.#isStopping) return;
    if (fault === undefined) this.#send("WATCHDOG=1", `--status=${summaryOf(status)}`);
    else if (this.#wasWell) this.#log.error({}, `${fault}: systemd's watchdog gets no more pings`);
    this.#wasWell = fault === undefined;
  }

  async #routerFault(): Promise<string | undefined> {
    return (await this.#isRouterWell()) ? undefined : "the router takes no connections";
  }

  /** One at a time, so that the manager reads them in order. */
  #send(...args: readonly string[]): void {
    this.#last = this.#last.then(() => this.#run([`--pid=${process.pid}`, ...args]));
  }

  #run(args: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      execFile("systemd-notify", args, { env: this.#env, timeout: RUN_TIMEOUT_MS }, (error) => {
        if (error !== null && !this.#hasFailed) {
          this.#log.error(errorFields(error), "systemd cannot be told how the box is: does systemd-notify work here?");
        }
        this.#hasFailed = error !== null;
        resolve();
      });
    });
  }
}

function summaryOf({ workers, url }: BoxStatus): string {
  const ready = workers.filter(({ state }) => state === "ready").length;
  const connections = workers.reduce((sum, worker) => sum + worker.connections, 0);
  return `${url}, ${ready} of ${workers.length} workers ready, ${connections} connections`;
}
