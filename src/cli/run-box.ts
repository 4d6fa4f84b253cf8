// One run of a box in the foreground: brings it up, says that it is ready, and takes it down for whatever reason
// comes first: a signal, `allcores stop`, or a failure.

import { AllcoresError, EXIT, toError } from "../errors.ts";
import { StateFile } from "../hub/state-file.ts";
import { defer, settledWithin } from "../lib/deadline.ts";
import { createLogger, errorFields, type Logger } from "../lib/logger.ts";
import { listenToSignals, SIGNAL_EXIT, type StopSignal } from "../lib/signals.ts";
import type { Options } from "../options/options.ts";
import { describeUnknownVariables } from "../options/unknown-variables.ts";
import type { ReloadReport } from "../primary/box-reload.ts";
import { ControlServer, refuseLiveBox } from "../primary/control.ts";
import { createControlVerbs } from "../primary/control-verbs.ts";
import { createNotifier, type Notifier } from "../primary/notify.ts";
import { Primary } from "../primary/primary.ts";
import type { ReloadProgress } from "../primary/reload.ts";
import { controlSocketPath, openRuntimeDir, removeDeadSockets } from "../primary/runtime-dir.ts";
import { hubStatePath, openStateDir } from "../primary/state-dir.ts";
import { stateOwner } from "../primary/state-owner.ts";
import type { BoxStatus } from "../primary/status.ts";
import { type SystemdEnv, takeSystemdEnv } from "../primary/systemd-env.ts";
import type { AppFile } from "./app-file.ts";
import { adviseNode } from "./node-version.ts";
import { readyLine } from "./ready-line.ts";
import type { Terminal } from "./verb.ts";

export interface RunBoxOptions {
  readonly options: Options;
  readonly app: AppFile;
  readonly terminal: Terminal;
}

/** How long letting everything go may take once nothing is in flight. */
const CLOSE_TIMEOUT_MS = 2000;

/** Runs the box until it ends; resolves to the exit code, rejects with what it failed of. */
export async function runBox(run: RunBoxOptions): Promise<number> {
  const log = createLogger({ level: run.options.logLevel });
  const advice = adviseNode(process.versions.node);
  if (advice !== undefined) log.warn({}, advice);
  for (const text of describeUnknownVariables(process.env)) log.warn({}, text);

  // Every process of the box is forked with the flags of this one.
  process.execArgv.push(...run.app.execArgv);
  const systemd = takeSystemdEnv(process.env, process.pid);
  const runtimeDir = await openRuntimeDir(process.env);
  await refuseLiveBox(controlSocketPath(runtimeDir, run.options.adminPort));
  await removeDeadSockets(runtimeDir).catch((error: unknown) => {
    log.warn(errorFields(error), "sockets that former boxes have left could not be removed");
  });

  const { options, app } = run;
  const stateFile = await openStateFile(run, log);
  const primary = new Primary({ options, appUrl: app.url, log, runtimeDir, stateFile, listenFd: systemd.listenFd });
  return new BoxRun({ ...run, log, primary, systemd, runtimeDir }).untilEnd();
}

/** `undefined` when nothing is to be kept over a restart, or there is no place for it. */
async function openStateFile({ options, app }: RunBoxOptions, log: Logger): Promise<StateFile | undefined> {
  const { saveState, windowMs } = options.recovery;
  if (options.bus !== "box" || !saveState) return undefined;
  try {
    const path = hubStatePath(await openStateDir(process.env), options.adminPort);
    return new StateFile({ path, owner: stateOwner(app.url), windowMs });
  } catch (error) {
    log.warn(errorFields(error), "clients will start afresh when the box is restarted");
    return undefined;
  }
}

interface BoxRunParts extends RunBoxOptions {
  readonly log: Logger;
  readonly primary: Primary;
  readonly systemd: SystemdEnv;
  readonly runtimeDir: string;
}

class BoxRun {
  readonly #parts: BoxRunParts;
  readonly #notifier: Notifier;
  readonly #ended = defer<number>();
  #control: ControlServer | undefined;
  #stopped: Promise<void> | undefined;
  #isKilled = false;

  constructor(parts: BoxRunParts) {
    this.#parts = parts;
    const { systemd, log, primary } = parts;
    const status = (): BoxStatus => primary.status();
    const reload = (): void => void this.#reload("PM2 action").catch(() => {});
    const isRouterWell = (): Promise<boolean> => primary.acceptsConnections();
    this.#notifier = createNotifier({ systemd, env: process.env, log, status, isRouterWell, reload });
  }

  async untilEnd(): Promise<number> {
    const { primary } = this.#parts;
    listenToSignals({
      onStop: (signal) => void this.#stop(signal),
      onKill: (signal) => this.#kill(signal),
      onHangUp: () => void this.#reload("SIGHUP").catch(() => {}),
    });
    process.on("uncaughtException", (error) => this.#fail(error));
    // What a stop cut short has not failed.
    const failUnlessStopping = (error: unknown): void => {
      if (this.#stopped === undefined) this.#fail(toError(error));
    };
    primary.events.on("failed", failUnlessStopping);
    this.#bringUp().catch(failUnlessStopping);
    try {
      return await this.#ended.promise;
    } finally {
      await this.#close();
    }
  }

  async #bringUp(): Promise<void> {
    const { options, primary, terminal } = this.#parts;
    // The real port is only known when 0 was asked for and the admin listener is up.
    if (options.adminPort !== 0) await this.#openControl(options.adminPort);
    await primary.start();
    const status = primary.status();
    if (options.adminPort === 0) await this.#openControl(Number(new URL(status.adminUrl).port));
    if (this.#stopped !== undefined) return;

    terminal.out.write(readyLine(status, options));
    this.#notifier.ready();
  }

  async #openControl(adminPort: number): Promise<void> {
    const { primary, runtimeDir } = this.#parts;
    const handlers = createControlVerbs({
      status: () => primary.status(),
      stop: () => this.#stop("allcores stop"),
      reload: (onProgress) => this.#reload("allcores reload", onProgress),
    });
    this.#control = new ControlServer({ path: controlSocketPath(runtimeDir, adminPort), handlers });
    await this.#control.start();
  }

  /** What came of it is in the log, whoever asked. */
  async #reload(reason: string, onProgress: (progress: ReloadProgress) => void = () => {}): Promise<ReloadReport> {
    const { log, primary } = this.#parts;
    log.info({ reason }, "the box reloads");
    try {
      const report = await primary.reload((progress) => {
        log.info({ ...progress }, "reload");
        onProgress(progress);
      });
      log.info({ ...report }, "the box is reloaded");
      return report;
    } catch (error) {
      log.error({ reason, ...errorFields(error) }, "the box is not reloaded");
      throw error;
    }
  }

  /** Rejects when the box ended before it had drained. */
  #stop(reason: string): Promise<void> {
    if (this.#stopped === undefined) {
      this.#stopped = this.#drain(reason);
      this.#stopped.then(
        () => this.#ended.resolve(EXIT.ok),
        (error: unknown) => this.#fail(toError(error)),
      );
    }
    return this.#stopped;
  }

  async #drain(reason: string): Promise<void> {
    const { options, log, primary } = this.#parts;
    log.info({ reason }, "the box drains");
    this.#notifier.stopping();
    await primary.drain(options.supervisor.drainTimeoutMs);
    if (this.#isKilled) {
      throw new AllcoresError("ALLCORES_ERR_CLOSED", "A second signal ended the box before it had drained.");
    }
    await primary.close();
    log.info({}, "the box is closed");
  }

  #kill(signal: StopSignal): void {
    this.#isKilled = true;
    this.#parts.log.warn({ reason: signal }, "a second signal ends the box at once: nothing is saved for its clients");
    this.#ended.resolve(SIGNAL_EXIT[signal]);
  }

  #fail(error: Error): void {
    // The message of a known error is printed by the CLI; of any other the log has the place where it was thrown.
    if (!(error instanceof AllcoresError))
      this.#parts.log.error(errorFields(error), "an unexpected error ends the box");
    this.#ended.reject(error);
  }

  async #close(): Promise<void> {
    const { primary } = this.#parts;
    await settledWithin(Promise.all([primary.close(), this.#notifier.close()]), CLOSE_TIMEOUT_MS);
    await this.#control?.close();
  }
}
