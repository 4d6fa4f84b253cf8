// The tiles: one number each, what it was in the last two minutes, and a note below.

import type { BoxStatus } from "../../primary/status.ts";
import { make, setText } from "./dom.ts";
import { bytesOf, formatBytes, formatCount, formatRate, type Quantity } from "./format.ts";
import type { History, Moment } from "./history.ts";
import { Sparkline } from "./sparkline.ts";

interface TileSpec {
  readonly title: string;
  readonly read: (moment: Moment) => number | null;
  readonly show: (value: number, status: BoxStatus) => Quantity;
  readonly note: (moment: Moment, status: BoxStatus) => string;
  /** The least value that fills the height of the chart. */
  readonly floor: number;
}

const perSecond = (value: number): Quantity => ({ value: formatRate(value), unit: "/s" });

const TILES: readonly TileSpec[] = [
  {
    title: "Connections",
    read: ({ connections }) => connections,
    show: (value) => ({ value: formatCount(value), unit: "" }),
    note: (_moment, { traffic }) => `${formatCount(traffic.connects)} since the start`,
    floor: 5,
  },
  {
    title: "Messages in",
    read: ({ messagesIn }) => messagesIn,
    show: perSecond,
    note: ({ bytesIn }) => `${formatBytes(bytesIn ?? 0)}/s`,
    floor: 5,
  },
  {
    title: "Messages out",
    read: ({ messagesOut }) => messagesOut,
    show: perSecond,
    note: ({ bytesOut }) => `${formatBytes(bytesOut ?? 0)}/s`,
    floor: 5,
  },
  {
    title: "Errors",
    read: ({ errors }) => errors,
    show: perSecond,
    note: (_moment, { traffic }) => `${formatCount(traffic.errors)} since the start`,
    floor: 1,
  },
  {
    title: "Loop lag",
    read: ({ loopLagMs }) => loopLagMs,
    show: (value) => ({ value: formatCount(value), unit: "ms" }),
    note: () => "slowest worker",
    floor: 20,
  },
  {
    title: "Memory",
    read: ({ memoryBytes }) => memoryBytes,
    show: bytesOf,
    note: (_moment, { workers }) => `${workers.length} ${workers.length === 1 ? "worker" : "workers"}`,
    floor: 100_000_000,
  },
  {
    title: "Tasks running",
    read: ({ poolRunning }) => poolRunning,
    show: (value, { cpu }) => ({ value: formatCount(value), unit: `of ${cpu.threads} threads` }),
    note: (_moment, { cpu }) => (cpu.state === "off" ? "the app has no tasks" : `cpu process ${cpu.state}`),
    floor: 1,
  },
  {
    title: "Tasks waiting",
    read: ({ poolQueued }) => poolQueued,
    show: (value) => ({ value: formatCount(value), unit: "" }),
    note: () => "for a thread",
    floor: 5,
  },
];

class Tile {
  readonly element: HTMLLIElement;
  readonly #spec: TileSpec;
  readonly #value = document.createTextNode("–");
  readonly #unit = make("span", "unit");
  readonly #note = make("p", "note", "\u00a0");
  readonly #chart = new Sparkline();

  constructor(spec: TileSpec) {
    this.#spec = spec;
    const value = make("p", "value", this.#value, this.#unit);
    this.element = make("li", "", make("h3", "", spec.title), value, this.#note, this.#chart.element);
  }

  update(moment: Moment, status: BoxStatus, history: History): void {
    const { read, show, note, floor } = this.#spec;
    const current = read(moment);
    if (current !== null) {
      const { value, unit } = show(current, status);
      this.#value.data = value;
      setText(this.#unit, unit);
    }
    setText(this.#note, note(moment, status));
    this.#chart.draw(history.series(read), floor);
  }
}

export class Tiles {
  readonly #tiles = TILES.map((spec) => new Tile(spec));

  constructor(list: HTMLElement) {
    list.append(...this.#tiles.map(({ element }) => element));
  }

  update(moment: Moment, status: BoxStatus, history: History): void {
    for (const tile of this.#tiles) tile.update(moment, status, history);
  }
}
