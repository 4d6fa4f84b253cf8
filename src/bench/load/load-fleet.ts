// The load processes, as the parent holds them: forked together, asked together, ended together.

import { type ChildProcess, fork } from "node:child_process";
import { AllcoresError } from "../../errors.ts";
import { type Deferred, defer, withDeadline } from "../../lib/deadline.ts";
import { Lifecycle } from "../../lib/lifecycle.ts";
import type { CommandName, FromLoadProcess, LoadAnswers, LoadCommands } from "./load-messages.ts";

const ENTRY = new URL("./load-process.js", import.meta.url);
const START_DEADLINE_MS = 20_000;
/** Added to the time that a command itself may take. */
const ANSWER_SLACK_MS = 10_000;

export type PulseMessage = Extract<FromLoadProcess, { name: "pulse" }>;

export class LoadFleet extends Lifecycle {
  readonly size: number;
  readonly #onPulse: (share: number, pulse: PulseMessage) => void;
  readonly #members: LoadProcess[] = [];

  constructor(size: number, onPulse: (share: number, pulse: PulseMessage) => void) {
    super();
    this.size = size;
    this.#onPulse = onPulse;
  }

  /** Gives every process the same command (or its own, by `bodyOf`) and waits for all answers. */
  askAll<N extends CommandName>(
    name: N,
    bodyOf: (share: number) => LoadCommands[N],
    takesMs: number,
  ): Promise<LoadAnswers[N][]> {
    return Promise.all(this.#members.map((member, share) => member.ask(name, bodyOf(share), takesMs)));
  }

  protected override async onStart(): Promise<void> {
    for (let share = 0; share < this.size; share++) {
      this.#members.push(new LoadProcess((pulse) => this.#onPulse(share, pulse)));
    }
    await withDeadline(Promise.all(this.#members.map(({ up }) => up)), START_DEADLINE_MS, "Starting load processes");
  }

  protected override async onClose(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.kill()));
  }
}

class LoadProcess {
  readonly #child: ChildProcess;
  readonly #up = defer<void>();
  readonly #gone = defer<void>();
  #pending: { readonly name: CommandName; readonly answer: Deferred<unknown> } | undefined;

  constructor(onPulse: (pulse: PulseMessage) => void) {
    this.#child = fork(ENTRY, {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child.on("message", (message: FromLoadProcess) => {
      if (message.name === "up") this.#up.resolve();
      else if (message.name === "pulse") onPulse(message);
      else this.#onAnswer(message.name, message.body);
    });
    this.#child.on("error", (error) => this.#onGone(error.message));
    this.#child.once("exit", (code, signal) => this.#onGone(`it ended with ${signal ?? `code ${code}`}`));
    // Whoever waits for the start sees the failure; nobody waiting is no unhandled rejection.
    this.#up.promise.catch(() => {});
  }

  get up(): Promise<void> {
    return this.#up.promise;
  }

  ask<N extends CommandName>(name: N, body: LoadCommands[N], takesMs: number): Promise<LoadAnswers[N]> {
    const answer = defer<unknown>();
    this.#pending = { name, answer };
    this.#child.send({ name, body });
    const work = answer.promise as Promise<LoadAnswers[N]>;
    return withDeadline(work, takesMs + ANSWER_SLACK_MS, `"${name}" in a load process`);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone.promise;
  }

  #onAnswer(name: CommandName, body: unknown): void {
    if (this.#pending?.name !== name) return;
    this.#pending.answer.resolve(body);
    this.#pending = undefined;
  }

  #onGone(why: string): void {
    const error = new AllcoresError("ALLCORES_ERR_BENCH", `A load process is gone: ${why}.`);
    this.#up.reject(error);
    this.#pending?.answer.reject(error);
    this.#gone.resolve();
  }
}
