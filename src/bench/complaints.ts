// What a server under test has to say for itself: the end of its stderr, kept for runs that go wrong.

import type { Readable } from "node:stream";

const MAX_CHARACTERS = 4_000;

/** Reads the stream to its end and returns what gives the last of it. */
export function collectComplaints(stderr: Readable | null): () => string {
  let text = "";
  stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-MAX_CHARACTERS);
  });
  return () => text.trim();
}
