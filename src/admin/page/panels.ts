// The panels: what the parts of the box beside the workers say.

import type { BoxStatus } from "../../primary/status.ts";
import { make, setBadge, setText } from "./dom.ts";
import { formatBytes, formatCount } from "./format.ts";

type Facts = Readonly<Record<string, string>>;

interface PanelSpec {
  readonly title: string;
  readonly badge?: (status: BoxStatus) => string;
  readonly text?: (status: BoxStatus) => string;
  readonly facts?: (status: BoxStatus) => Facts;
}

const PANELS: readonly PanelSpec[] = [
  {
    title: "CPU pool",
    badge: ({ cpu }) => cpu.state,
    facts: ({ cpu }) => ({
      Threads: formatCount(cpu.threads),
      Running: formatCount(cpu.running),
      Waiting: formatCount(cpu.queued),
      Process: String(cpu.pid ?? "–"),
    }),
  },
  {
    title: "Redis",
    badge: ({ redis }) => redis?.state ?? "off",
    text: ({ redis }) => redis?.detail ?? "This box is alone: it was started without a Redis URL.",
  },
  {
    title: "Presence",
    facts: ({ presence }) => ({ Members: formatCount(presence.members), Rooms: formatCount(presence.rooms) }),
  },
  {
    title: "Since the start",
    facts: ({ traffic }) => ({
      "Messages in": formatCount(traffic.messagesIn),
      "Messages out": formatCount(traffic.messagesOut),
      "Data in": formatBytes(traffic.bytesIn),
      "Data out": formatBytes(traffic.bytesOut),
      Disconnects: formatCount(traffic.disconnects),
    }),
  },
];

class Panel {
  readonly element: HTMLElement;
  readonly #spec: PanelSpec;
  readonly #badge = make("span", "badge");
  readonly #text = make("p");
  readonly #facts = make("dl");
  readonly #values = new Map<string, HTMLElement>();

  constructor(spec: PanelSpec) {
    this.#spec = spec;
    const { title, badge, text, facts } = spec;
    this.element = make("article", "card", make("h2", "", title, ...(badge ? [this.#badge] : [])));
    if (text !== undefined) this.element.append(this.#text);
    if (facts !== undefined) this.element.append(this.#facts);
  }

  update(status: BoxStatus): void {
    const { badge, text, facts } = this.#spec;
    if (badge !== undefined) setBadge(this.#badge, badge(status));
    if (text !== undefined) setText(this.#text, text(status));
    for (const [name, value] of Object.entries(facts?.(status) ?? {})) setText(this.#value(name), value);
  }

  #value(name: string): HTMLElement {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const value = make("dd");
    this.#facts.append(make("div", "", make("dt", "", name), value));
    this.#values.set(name, value);
    return value;
  }
}

export class Panels {
  readonly #panels = PANELS.map((spec) => new Panel(spec));

  constructor(section: HTMLElement) {
    section.append(...this.#panels.map(({ element }) => element));
  }

  update(status: BoxStatus): void {
    for (const panel of this.#panels) panel.update(status);
  }
}
