// Decides whom to tell that somebody has seen the room up to a message: each author once, about their latest one.

import type { ChatMessage } from "./page/protocol.ts";

/** `from` is what had been seen before; when that is not in the history any more, everything in it counts as new. */
export function seenByAuthor(
  messages: readonly ChatMessage[],
  upTo: string,
  from: string | undefined,
): readonly ChatMessage[] {
  const end = messages.findIndex(({ id }) => id === upTo) + 1;
  const start = messages.findIndex(({ id }) => id === from) + 1;
  const latest = new Map<string, ChatMessage>();
  for (const message of messages.slice(start, end)) latest.set(message.author.user, message);
  return [...latest.values()];
}
