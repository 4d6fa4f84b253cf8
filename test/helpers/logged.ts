import { once } from "node:events";
import type { TestBox } from "./box.ts";

/** Resolves when the box, or a worker of it, has written `words` to stderr. */
export async function logged({ child, stderr }: TestBox, words: string): Promise<void> {
  while (!stderr().includes(words)) await once(child.stderr ?? child, "data");
}
