// Colours, where they are wanted: on a terminal, and not when NO_COLOR is set.

import type { Writable } from "node:stream";
import { styleText } from "node:util";

export type Colour = "red" | "green" | "yellow" | "gray" | "bold";

/** `text` in `colour` if `stream` shows colours. */
export function paint(stream: Writable, colour: Colour, text: string): string {
  return styleText(colour, text, { stream });
}
