// How the demo says no. What is meant for the person goes back as a refusal; anything else is a mistake of ours, which
// the box contains, logs and counts.

import { AllcoresError } from "../errors.ts";
import type { ChatSocket } from "./chat-server.ts";
import type { Answer, Refusal } from "./page/protocol.ts";
import { ChatRefusal } from "./parse-requests.ts";

/** Runs `work` and answers with what it returns, or with why not. */
export async function answer<T>(ack: (answer: Answer<T>) => void, work: () => T | Promise<T>): Promise<void> {
  let result: Answer<T>;
  try {
    result = await work();
  } catch (error) {
    result = { error: toRefusal(error) };
  }
  ack(result);
}

/** The same for events that ask for no answer. */
export function refuseAloud(socket: ChatSocket, work: () => void): void {
  try {
    work();
  } catch (error) {
    socket.emit("allcores:error", toRefusal(error));
  }
}

/** Throws what is no refusal on. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof ChatRefusal || error instanceof AllcoresError) {
    return { code: error.code, message: error.message };
  }
  throw error;
}
