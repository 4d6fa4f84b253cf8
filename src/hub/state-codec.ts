// The bytes of a saved hub: a magic word, then sections, each with its length and checksum.
//
//   "allcores hub 1\n" | header (JSON) | index (v8) | one section for the messages of each log segment
//   section: u32 length | u32 crc32 of the bytes | bytes
//
// The header says who wrote it and when, and is read before the rest. Whatever is damaged throws.

import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import { AllcoresError } from "../errors.ts";
import type { HubState } from "./hub-state.ts";

/** Who saved a hub. Another one may not take it up. */
export interface StateHeader {
  /** Version of the package and of what it saves. */
  readonly build: string;
  readonly app: string;
  readonly hostname: string;
  /** Names the run of the machine's kernel, which containers share. Empty where the system does not say. */
  readonly bootId: string;
  readonly savedAt: number;
}

const MAGIC = Buffer.from("allcores hub 1\n");
const SECTION_HEAD_BYTES = 8;
const NO_BYTES = Buffer.alloc(0);

/** The file as chunks to be written one after the other. The messages are not copied. */
export function encodeState(header: StateHeader, { log, ...rest }: HubState): Buffer[] {
  const segments = log.segments.map((segment) => ({ ...segment, bytes: NO_BYTES }));
  const index = serialize({ ...rest, log: { ...log, segments } });
  const sections = [Buffer.from(JSON.stringify(header)), index, ...log.segments.map(({ bytes }) => bytes)];
  return [MAGIC, ...sections.flatMap((bytes) => [sectionHead(bytes), bytes])];
}

/** Reads `bytes` more bytes of a file; fewer at its end. */
export type ReadBytes = (bytes: number) => Promise<Buffer>;

/** Reads a saved hub section by section, so that no more is held than is kept. */
export class StateReader {
  readonly #read: ReadBytes;
  #left: number;

  constructor(read: ReadBytes, totalBytes: number) {
    this.#read = read;
    this.#left = totalBytes;
  }

  /** Call it first. Throws `ALLCORES_ERR_HUB_STATE`, as `state` does. */
  async header(): Promise<StateHeader> {
    const magic = await this.#take(MAGIC.length);
    if (!magic.equals(MAGIC)) throw damaged("it does not begin as one");
    return JSON.parse((await this.#section()).toString()) as StateHeader;
  }

  /** Call it after `header`. */
  async state(): Promise<HubState> {
    const { log, ...rest } = deserialize(await this.#section()) as HubState;
    const segments = [];
    for (const segment of log.segments) segments.push({ ...segment, bytes: await this.#section() });
    if (this.#left > 0) throw damaged(`${this.#left} bytes follow its end`);
    return { ...rest, log: { ...log, segments } };
  }

  async #section(): Promise<Buffer> {
    const head = await this.#take(SECTION_HEAD_BYTES);
    const bytes = await this.#take(head.readUInt32BE(0));
    if (crc32(bytes) !== head.readUInt32BE(4)) throw damaged("a checksum is wrong");
    return bytes;
  }

  async #take(bytes: number): Promise<Buffer> {
    if (bytes > this.#left) throw damaged("it ends too early");
    const taken = await this.#read(bytes);
    if (taken.length < bytes) throw damaged("it ends too early");
    this.#left -= bytes;
    return taken;
  }
}

function sectionHead(bytes: Buffer): Buffer {
  const head = Buffer.alloc(SECTION_HEAD_BYTES);
  head.writeUInt32BE(bytes.length, 0);
  head.writeUInt32BE(crc32(bytes), 4);
  return head;
}

function damaged(how: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_HUB_STATE", `The saved state of the hub is damaged: ${how}.`);
}
