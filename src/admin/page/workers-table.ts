// The table of workers: one row a slot, updated in place.

import type { WorkerStatus } from "../../primary/status.ts";
import { make, setBadge, setText } from "./dom.ts";
import { formatBytes, formatCount } from "./format.ts";
import type { History } from "./history.ts";
import { Sparkline } from "./sparkline.ts";

/** From here on people notice. */
const HIGH_LAG_MS = 100;
const LAG_CHART_FLOOR_MS = 20;

class Row {
  readonly element: HTMLTableRowElement;
  readonly #slot: number;
  readonly #state = make("span", "badge");
  readonly #connections = make("td", "number");
  readonly #lag = make("td", "number");
  readonly #chart = new Sparkline();
  readonly #memory = make("td", "number");
  readonly #restarts = make("td", "number");
  readonly #process = make("td", "number wide");

  constructor(slot: number) {
    this.#slot = slot;
    const heading = make("th", "", String(slot));
    heading.scope = "row";
    this.element = make(
      "tr",
      "",
      heading,
      make("td", "", this.#state),
      this.#connections,
      this.#lag,
      make("td", "wide", this.#chart.element),
      this.#memory,
      this.#restarts,
      this.#process,
    );
  }

  update({ pid, incarnation, state, connections, loopLagMs, memoryBytes, restarts }: WorkerStatus, history: History) {
    setBadge(this.#state, state);
    setText(this.#connections, formatCount(connections));
    setText(this.#lag, `${formatCount(loopLagMs)} ms`);
    this.#lag.classList.toggle("is-high", loopLagMs >= HIGH_LAG_MS);
    this.#chart.draw(
      history.series(({ workerLagMs }) => workerLagMs.get(this.#slot)),
      LAG_CHART_FLOOR_MS,
    );
    setText(this.#memory, memoryBytes === 0 ? "–" : formatBytes(memoryBytes));
    setText(this.#restarts, formatCount(restarts));
    setText(this.#process, pid === null ? "–" : `${pid} (no. ${incarnation})`);
  }
}

export class WorkersTable {
  readonly #body: HTMLElement;
  readonly #rows = new Map<number, Row>();

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  update(workers: readonly WorkerStatus[], history: History): void {
    for (const worker of workers) this.#row(worker.slot).update(worker, history);
    for (const slot of [...this.#rows.keys()]) {
      if (workers.every((worker) => worker.slot !== slot)) this.#remove(slot);
    }
  }

  #row(slot: number): Row {
    const row = this.#rows.get(slot) ?? new Row(slot);
    if (!this.#rows.has(slot)) this.#body.append(row.element);
    this.#rows.set(slot, row);
    return row;
  }

  #remove(slot: number): void {
    this.#rows.get(slot)?.element.remove();
    this.#rows.delete(slot);
  }
}
