// What people are told when something was refused. The demo's own refusals are written for them; the box's are not.

import type { Refusal } from "./protocol.ts";

const WORDS: Record<string, string> = {
  ALLCORES_ERR_POOL_SATURATED: "The box has its hands full. Try again in a moment.",
  ALLCORES_ERR_TASK_DEADLINE: "That took the box too long. Try again in a moment.",
  ALLCORES_ERR_TASK_CRASHED: "A computing thread broke. Try again.",
  ALLCORES_ERR_PACKET_REFUSED: "The box does not take a message like that: it is too big or too nested.",
  ALLCORES_ERR_HANDLER: "Something went wrong on the server. It has been noted there.",
  ALLCORES_ERR_PRESENCE_FULL: "The box is full. Try again later.",
  ALLCORES_ERR_ORIGIN: "The box does not take visitors from this address.",
};

export function kindWords({ code, message, retryAfterMs }: Refusal): string {
  if (code === "ALLCORES_ERR_RATE_LIMITED") return `You are too fast for this box. Try again ${inTime(retryAfterMs)}.`;
  return WORDS[code] ?? message;
}

/** Whether the same thing may work a little later. */
export function isPassing({ code }: Refusal): boolean {
  return !/_(NAME|ROOM|TEXT|FRACTAL|REQUEST|PACKET_REFUSED|ORIGIN|UNAUTHORIZED)$/.test(code);
}

function inTime(retryAfterMs: number | undefined): string {
  if (retryAfterMs === undefined) return "in a moment";
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return seconds === 1 ? "in a second" : `in ${seconds} seconds`;
}
