// What a packet may look like before a handler sees it. Plain functions: the connection guard acts on what they find.

export interface PacketBounds {
  readonly maxDepth: number;
  readonly maxKeys: number;
  readonly maxNameLength: number;
  readonly maxAttachments: number;
}

/**
 * Events that Socket.IO and Node emit on the same object that carries the client's events. The default parser refuses
 * all but `error`; another parser may refuse none, and then a client could call an app's disconnect handler.
 */
const RESERVED_EVENTS = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "error",
  "newListener",
  "removeListener",
]);

/** What is wrong with an event, `[name, ...arguments]`, or `undefined`. */
export function findEventFault(event: unknown, bounds: PacketBounds): string | undefined {
  if (!Array.isArray(event)) return "An event must be an array of a name and arguments.";
  return findNameFault(event[0], bounds) ?? findExcess(event, bounds);
}

function findNameFault(name: unknown, bounds: PacketBounds): string | undefined {
  if (typeof name === "number") return undefined;
  if (typeof name !== "string") return "The name of an event must be text or a number.";
  if (name.length > bounds.maxNameLength)
    return `The name of an event is longer than ${bounds.maxNameLength} characters.`;
  if (RESERVED_EVENTS.has(name)) return `"${name}" is a reserved event name.`;
  return undefined;
}

/** What is too much in an event, an ack or the payload of a CONNECT, or `undefined`. */
export function findExcess(payload: unknown, bounds: PacketBounds): string | undefined {
  if (!isObject(payload)) return undefined;
  return new Measurement(bounds).visitChildren(payload, 0);
}

/** Stops at the first excess, so that measuring costs no more than what is allowed. */
class Measurement {
  readonly #bounds: PacketBounds;
  #keys = 0;
  #attachments = 0;

  constructor(bounds: PacketBounds) {
    this.#bounds = bounds;
  }

  visitChildren(parent: object, depth: number): string | undefined {
    return Array.isArray(parent) ? this.#visitElements(parent, depth) : this.#visitKeys(parent, depth);
  }

  #visitElements(parent: readonly unknown[], depth: number): string | undefined {
    this.#keys += parent.length;
    if (this.#keys > this.#bounds.maxKeys) return this.#tooManyKeys();
    for (const child of parent) {
      const excess = isObject(child) ? this.#visit(child, depth + 1) : undefined;
      if (excess !== undefined) return excess;
    }
    return undefined;
  }

  // This runs for every object of every event: `for in` makes no array of the keys or values.
  #visitKeys(parent: object, depth: number): string | undefined {
    for (const key in parent) {
      this.#keys++;
      if (this.#keys > this.#bounds.maxKeys) return this.#tooManyKeys();
      const child = (parent as Record<string, unknown>)[key];
      const excess = isObject(child) ? this.#visit(child, depth + 1) : undefined;
      if (excess !== undefined) return excess;
    }
    return undefined;
  }

  #tooManyKeys(): string {
    return `The packet has more than ${this.#bounds.maxKeys} elements and keys.`;
  }

  #visit(value: object, depth: number): string | undefined {
    if (isBinary(value)) return this.#visitAttachment();
    if (depth > this.#bounds.maxDepth) return `The packet is nested deeper than ${this.#bounds.maxDepth} levels.`;
    return this.visitChildren(value, depth);
  }

  #visitAttachment(): string | undefined {
    this.#attachments++;
    if (this.#attachments <= this.#bounds.maxAttachments) return undefined;
    return `The packet has more than ${this.#bounds.maxAttachments} binary attachments.`;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isBinary(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}
