// What changed between two reports, in words: for those who hear the page and do not see its colours.

import type { BoxStatus } from "../../primary/status.ts";

/** Sentences about states only; numbers change all the time. */
export function describeChanges(before: BoxStatus, after: BoxStatus): string[] {
  const changes: string[] = [];
  if (before.state !== after.state) changes.push(`The box is ${after.state}.`);
  for (const { slot, state } of after.workers) {
    const previous = before.workers.find((worker) => worker.slot === slot);
    if (previous !== undefined && previous.state !== state) changes.push(`Worker ${slot} is ${state}.`);
  }
  if (before.cpu.state !== after.cpu.state) changes.push(`The cpu process is ${after.cpu.state}.`);
  if (after.redis !== null && before.redis?.state !== after.redis.state) changes.push(`Redis is ${after.redis.state}.`);
  return changes;
}
