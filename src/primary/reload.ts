// Replaces the processes of slots, a group at a time: the new ones come up, live through a probation with new clients,
// and only then do the old ones let theirs go, one after the other. Until then the old processes stay, with the clients
// they have: they are the only place where the old code still is. A group that does not pass is left as it was.

import { AllcoresError, clauseOf, toError } from "../errors.ts";
import type { RestartReason } from "../metrics/primary-counters.ts";
import type { Slot } from "./slot.ts";
import type { WorkerProcess } from "./worker-process.ts";

export type ReloadStep = "starting" | "probation" | "draining" | "cpu";

export interface ReloadProgress {
  readonly step: ReloadStep;
  /** The slots it is about. */
  readonly slots: readonly number[];
  /** Slots that are through, of so many. */
  readonly done: number;
  readonly total: number;
  /** How much of the whole is behind us, from 0 to 1. */
  readonly share: number;
}

export interface ReloadOptions {
  readonly slots: readonly Slot[];
  /** Slots in a group; 0 puts all in one. */
  readonly surge: number;
  readonly probationMs: number;
  readonly drainTimeoutMs: number;
  readonly reason: RestartReason;
  readonly onProgress: (progress: ReloadProgress) => void;
  /** The new code has passed everywhere, and is about to get the clients. Must not reject. */
  readonly onPassed?: (workers: readonly WorkerProcess[]) => Promise<void>;
  /** Fires when the box stops: what is under way is given up. */
  readonly signal: AbortSignal;
}

interface Successor {
  readonly slot: Slot;
  readonly worker: WorkerProcess;
}

type Tell = (step: ReloadStep, slots: readonly Slot[], doneInGroup: number) => void;

/** What of a slot's replacement is behind us when the step begins. */
const SHARE_BEFORE: Record<ReloadStep, number> = { starting: 0, probation: 0.3, draining: 0.4, cpu: 1 };

/** Rejects with `ALLCORES_ERR_RELOAD_FAILED`, which says what failed and which slots have the old code. */
export async function reloadSlots(options: ReloadOptions): Promise<void> {
  const { slots, onProgress, onPassed } = options;
  const total = slots.length;
  const surge = options.surge === 0 ? total : options.surge;
  for (let done = 0; done < total; done += surge) {
    const group = slots.slice(done, done + surge);
    const tell: Tell = (step, concerned, doneInGroup) => {
      const before = SHARE_BEFORE[step];
      const after = step === "starting" ? SHARE_BEFORE.probation : 1;
      const share = (done + group.length * before + doneInGroup * (after - before)) / total;
      const isThrough = step === "draining";
      onProgress({ step, slots: indexes(concerned), done: done + (isThrough ? doneInGroup : 0), total, share });
    };
    try {
      const workers = await tryGroup(group, options, tell);
      if (done + surge >= total) await onPassed?.(workers);
    } catch (error) {
      throw reloadFailed(toError(error), indexes(slots.slice(0, done)), indexes(slots.slice(done)));
    }
    await replaceGroup(group, options, tell);
  }
}

/** Resolves when the new workers have passed. Rejects when one has not, and all are gone again. */
async function tryGroup(
  group: readonly Slot[],
  { probationMs, drainTimeoutMs, signal }: ReloadOptions,
  tell: Tell,
): Promise<WorkerProcess[]> {
  signal.throwIfAborted();
  const successors: Successor[] = [];
  const given = abortOf(signal);
  try {
    for (const slot of group) {
      tell("starting", [slot], successors.length);
      const successor = { slot, worker: slot.beginReplacement() };
      successors.push(successor);
      await Promise.race([becomeReady(successor), given.up, ...successors.slice(0, -1).map(crash)]);
    }
    tell("probation", group, 0);
    // All at once: with only some of them open, every new client would go to those.
    for (const slot of group) slot.tryReplacement();
    await passProbation(successors, probationMs, given.up);
    return successors.map(({ worker }) => worker);
  } catch (error) {
    await Promise.all(successors.map(({ slot }) => slot.cancelReplacement(drainTimeoutMs)));
    throw error;
  } finally {
    given.stop();
  }
}

/** The clients of one slot after those of the other: every worker that they may come back to has the new code by then. */
async function replaceGroup(
  group: readonly Slot[],
  { drainTimeoutMs, reason }: ReloadOptions,
  tell: Tell,
): Promise<void> {
  for (const slot of group) slot.commitReplacement(reason);
  for (const [done, slot] of group.entries()) {
    tell("draining", [slot], done);
    await slot.dismissFormer(drainTimeoutMs);
  }
}

async function becomeReady({ slot, worker }: Successor): Promise<void> {
  try {
    await worker.ready;
  } catch (error) {
    throw new AllcoresError(
      "ALLCORES_ERR_APP",
      `the new worker of slot ${slot.index} did not start: ${clauseOf(error)}`,
    );
  }
}

async function passProbation(successors: readonly Successor[], probationMs: number, up: Promise<never>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, probationMs);
  });
  try {
    await Promise.race([passed, up, ...successors.map(crash)]);
  } finally {
    clearTimeout(timer);
  }
}

async function crash({ slot, worker }: Successor): Promise<never> {
  const { text } = await worker.exited;
  throw new AllcoresError("ALLCORES_ERR_APP", `the new worker of slot ${slot.index} ended in its probation: ${text}`);
}

function abortOf(signal: AbortSignal): { readonly up: Promise<never>; readonly stop: () => void } {
  let stop = (): void => {};
  const up = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(toError(signal.reason));
    signal.addEventListener("abort", onAbort);
    stop = () => signal.removeEventListener("abort", onAbort);
  });
  up.catch(() => {});
  return { up, stop };
}

function reloadFailed(cause: Error, renewed: readonly number[], kept: readonly number[]): AllcoresError {
  const rest = renewed.length === 0 ? "" : ` ${slotsText(renewed)} the new code already.`;
  return new AllcoresError(
    "ALLCORES_ERR_RELOAD_FAILED",
    `The reload was rolled back: ${clauseOf(cause)}. ${slotsText(kept)} the old code still.${rest}`,
    { cause },
  );
}

/** "Slot 3 has" or "Slots 1, 2 and 3 have". */
function slotsText(slots: readonly number[]): string {
  if (slots.length === 1) return `Slot ${slots[0]} has`;
  return `Slots ${slots.slice(0, -1).join(", ")} and ${slots.at(-1)} have`;
}

function indexes(slots: readonly Slot[]): number[] {
  return slots.map(({ index }) => index);
}
