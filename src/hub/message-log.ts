// The bounded memory of recoverable messages, in the box's order. Old ones go by age and by bytes, a segment at a time.
// Messages are copied into a few large buffers: the garbage collector sees segments, not messages.

import type { LogState } from "./hub-state.ts";

export interface MessageLogOptions {
  /** Most bytes kept. */
  readonly maxBytes: number;
  /** How long a message is kept, in milliseconds. */
  readonly windowMs: number;
}

const SEGMENT_BYTES = 1_048_576;
const SEGMENT_MESSAGES = 8192;

interface Segment {
  readonly bytes: Buffer;
  readonly sequences: number[];
  /** Where each message ends; it begins where the one before ends. */
  readonly ends: number[];
  lastAddedAt: number;
}

export class MessageLog {
  readonly #options: MessageLogOptions;
  readonly #segments: Segment[] = [];
  #bytes = 0;
  #evictedTo = 0;
  /** Memory of a segment that has gone, for the next one: memory that is new to the process costs more than what it holds. */
  #spare: Buffer | undefined;

  constructor(options: MessageLogOptions) {
    this.#options = options;
  }

  /** Bytes held, counting whole segments. */
  get bytes(): number {
    return this.#bytes;
  }

  get messages(): number {
    return this.#segments.reduce((count, { sequences }) => count + sequences.length, 0);
  }

  /** The highest sequence that is no longer here; 0 when none has gone. */
  get evictedTo(): number {
    return this.#evictedTo;
  }

  /** Keeps a copy of `message`. Sequences must grow. */
  append(sequence: number, message: Uint8Array, now: number): void {
    const segment = this.#roomFor(message.length, now);
    const start = segment.ends.at(-1) ?? 0;
    segment.bytes.set(message, start);
    segment.sequences.push(sequence);
    segment.ends.push(start + message.length);
    segment.lastAddedAt = now;
  }

  /** The message of a sequence, or `undefined` when it is not here. A view: it is good until the next `append`. */
  get(sequence: number): Buffer | undefined {
    const segment = this.#segments[lastAtMost(this.#segments, sequence, ({ sequences }) => sequences[0] ?? 0)];
    if (segment === undefined) return undefined;
    const index = lastAtMost(segment.sequences, sequence, (value) => value);
    if (segment.sequences[index] !== sequence) return undefined;
    return segment.bytes.subarray(segment.ends[index - 1] ?? 0, segment.ends[index]);
  }

  /** Lets go of what is older than the window. */
  evict(now: number): void {
    const isOld = (segment: Segment) => segment.lastAddedAt <= now - this.#options.windowMs;
    while (this.#segments[0] !== undefined && isOld(this.#segments[0])) this.#dropOldest();
  }

  /** Everything that is kept. The bytes are views: append nothing while they are used. */
  snapshot(): LogState {
    const segments = this.#segments.map(({ bytes, sequences, ends, lastAddedAt }) => {
      return { bytes: bytes.subarray(0, ends.at(-1)), sequences, ends, lastAddedAt };
    });
    return { evictedTo: this.#evictedTo, segments };
  }

  /** Begins with what another log kept, as far as it fits. */
  restore({ evictedTo, segments }: LogState): void {
    this.#evictedTo = evictedTo;
    for (const segment of segments) {
      this.#makeRoom(segment.bytes.length);
      this.#add({ ...segment });
    }
  }

  #roomFor(bytes: number, now: number): Segment {
    const current = this.#segments.at(-1);
    const used = current?.ends.at(-1) ?? 0;
    const fits = current !== undefined && used + bytes <= current.bytes.length;
    if (fits && current.sequences.length < SEGMENT_MESSAGES) return current;

    const size = Math.max(SEGMENT_BYTES, bytes);
    this.#makeRoom(size);
    return this.#add({ bytes: this.#memory(size), sequences: [], ends: [], lastAddedAt: now });
  }

  #makeRoom(bytes: number): void {
    while (this.#segments.length > 0 && this.#bytes + bytes > this.#options.maxBytes) this.#dropOldest();
  }

  #memory(bytes: number): Buffer {
    const spare = this.#spare;
    if (spare === undefined || bytes > SEGMENT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    this.#spare = undefined;
    return spare;
  }

  #add(segment: Segment): Segment {
    this.#segments.push(segment);
    this.#bytes += segment.bytes.length;
    return segment;
  }

  #dropOldest(): void {
    const oldest = this.#segments.shift();
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes.length;
    if (oldest.bytes.length === SEGMENT_BYTES) this.#spare = oldest.bytes;
    this.#evictedTo = oldest.sequences.at(-1) ?? this.#evictedTo;
  }
}

/** Index of the last item whose key is at most `key`; -1 when there is none. Items are in order of keys. */
export function lastAtMost<T>(items: readonly T[], key: number, keyOf: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyOf(items[middle] as T) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
