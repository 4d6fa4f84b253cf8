// Replaces the processes of slots, a group at a time: the new ones come up, live through a probation with new clients,
// and only then do the old ones let theirs go. A group that does not pass is left as it was, and the rest untouched:
// the old processes are the only place where the old code still is.

import { AllcoresError, toError } from "../errors.ts";
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
}

export interface ReloadOptions {
  readonly slots: readonly Slot[];
  /** Slots in a group. */
  readonly surge: number;
  readonly probationMs: number;
  readonly drainTimeoutMs: number;
  readonly reason: RestartReason;
  readonly onProgress: (progress: ReloadProgress) => void;
  /** Fires when the box stops: what is under way is given up. */
  readonly signal: AbortSignal;
}

interface Successor {
  readonly slot: Slot;
  readonly worker: WorkerProcess;
}

/** Rejects with `ALLCORES_ERR_RELOAD_FAILED`, which says what failed and which slots have the old code. */
export async function reloadSlots(options: ReloadOptions): Promise<void> {
  const { slots, surge, onProgress } = options;
  for (let done = 0; done < slots.length; done += surge) {
    const group = slots.slice(done, done + surge);
    const tell = (step: ReloadStep): void => onProgress({ step, slots: indexes(group), done, total: slots.length });
    try {
      await replaceGroup(group, options, tell);
    } catch (error) {
      throw reloadFailed(toError(error), indexes(slots.slice(0, done)), indexes(slots.slice(done)));
    }
  }
}

async function replaceGroup(
  group: readonly Slot[],
  { probationMs, drainTimeoutMs, reason, signal }: ReloadOptions,
  tell: (step: ReloadStep) => void,
): Promise<void> {
  signal.throwIfAborted();
  tell("starting");
  const successors = group.map((slot) => ({ slot, worker: slot.beginReplacement() }));
  const given = abortOf(signal);
  try {
    await Promise.race([Promise.all(successors.map(becomeReady)), given.up]);
    tell("probation");
    for (const slot of group) slot.tryReplacement();
    await passProbation(successors, probationMs, given.up);
  } catch (error) {
    await Promise.all(group.map((slot) => slot.cancelReplacement(drainTimeoutMs)));
    throw error;
  } finally {
    given.stop();
  }
  tell("draining");
  await Promise.all(group.map((slot) => slot.commitReplacement(reason, drainTimeoutMs)));
}

async function becomeReady({ slot, worker }: Successor): Promise<void> {
  try {
    await worker.ready;
  } catch (error) {
    throw new AllcoresError("ALLCORES_ERR_APP", `the new worker of slot ${slot.index} did not start: ${textOf(error)}`);
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
    `The reload was rolled back: ${textOf(cause)}. ${slotsText(kept)} the old code still.${rest}`,
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

/** The message without the full stop, to go on with. */
function textOf(error: unknown): string {
  return toError(error).message.replace(/\.$/, "");
}
