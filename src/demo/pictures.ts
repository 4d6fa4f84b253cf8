// Draws pictures, one at a time for each client: whoever wants another waits for the first.

import type { ChatBox, ChatSocket } from "./chat-server.ts";
import { type DrawingResult, drawFractal } from "./draw-fractal.ts";
import type { FractalTile, FractalView } from "./page/protocol.ts";
import { ChatRefusal } from "./parse-requests.ts";

export interface Picture {
  readonly messageId: string;
  readonly view: FractalView;
  readonly tiles: readonly number[];
  readonly signal?: AbortSignal;
}

export class Pictures {
  readonly #box: ChatBox;
  readonly #busy = new WeakSet<ChatSocket>();

  constructor(box: ChatBox) {
    this.#box = box;
  }

  /** Throws at once when a picture of this client is being drawn; the promise never rejects. */
  draw(owner: ChatSocket, picture: Picture, show: (tile: FractalTile) => void): Promise<DrawingResult> {
    if (this.#busy.has(owner)) {
      throw new ChatRefusal("CHAT_ERR_TOO_FAST", "Your last picture is still being drawn. Wait until it is there.");
    }
    this.#busy.add(owner);
    const { messageId, ...drawing } = picture;
    const { cpu, options } = this.#box;
    return drawFractal({
      ...drawing,
      cpu,
      parallel: options.cpu.threads,
      onTile: (index, tile) => show({ messageId, index, ...tile }),
    }).finally(() => this.#busy.delete(owner));
  }
}
