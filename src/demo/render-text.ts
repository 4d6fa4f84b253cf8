// Has the pool render a message. A chat must not stop because its pool is busy: then the text is shown as it was typed.

import { AllcoresError } from "../errors.ts";
import { errorFields } from "../lib/logger.ts";
import type { ChatBox } from "./chat-server.ts";
import type { Sent } from "./page/protocol.ts";

const DEADLINE_MS = 2000;
const BUSY = new Set(["ALLCORES_ERR_POOL_SATURATED", "ALLCORES_ERR_TASK_DEADLINE"]);

export type Rendered = { readonly html: string } | { readonly plain: NonNullable<Sent["plain"]> };

/** Never rejects. */
export async function renderText({ cpu, log }: Pick<ChatBox, "cpu" | "log">, text: string): Promise<Rendered> {
  try {
    return { html: await cpu.run<string>("render-markdown", text, { deadlineMs: DEADLINE_MS }) };
  } catch (error) {
    const isBusy = error instanceof AllcoresError && BUSY.has(error.code);
    if (!isBusy) log.warn(errorFields(error), "a message could not be rendered and is shown as plain text");
    return { plain: isBusy ? "busy" : "failed" };
  }
}
