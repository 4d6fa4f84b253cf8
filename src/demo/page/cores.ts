// The row of workers: which one serves this page, and which ones the messages come from.

import { hueOfNumber, setHue } from "./colours.ts";
import { byId } from "./dom.ts";
import { showWorker } from "./message-view.ts";
import type { WorkerLabel } from "./protocol.ts";

export class Cores {
  readonly #row = byId("cores", HTMLElement);

  show({ slot, pid }: WorkerLabel, workers: number): void {
    const cells = Array.from({ length: workers }, (_, index) => {
      const cell = document.createElement("li");
      setHue(cell, hueOfNumber(index));
      cell.classList.toggle("yours", index === slot);
      return cell;
    });
    this.#row.replaceChildren(...cells);
    byId("served-by", HTMLElement).textContent = `Worker ${slot} of ${workers}`;
    byId("served-process", HTMLElement).textContent = `Process ${pid}.`;
    showWorker(byId("badge", HTMLElement), slot, pid);
  }

  flash({ slot }: WorkerLabel): void {
    const cell = this.#row.children[slot];
    if (!(cell instanceof HTMLElement)) return;
    cell.classList.remove("lit");
    // Reading a size makes the browser see the class gone before it comes back, so the animation starts anew.
    void cell.offsetWidth;
    cell.classList.add("lit");
  }
}
