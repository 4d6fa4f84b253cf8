// Reads the header that a proxy puts before a connection's own bytes to say who the client is: PROXY protocol, v1 and v2
// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). Bytes in, progress out, however they are cut.

import { isIPv4, isIPv6 } from "node:net";
import { formatV6, normalizeAddress } from "../../lib/ip-address.ts";

export type ProxyHeaderProgress = "more" | "complete" | "malformed";

const V1_START = Buffer.from("PROXY ");
/** Of the longest line, its end included. */
const V1_MAX_BYTES = 107;

const V2_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Signature, version and command, family, length. */
const V2_FIXED_BYTES = 16;

/** By address family: its bytes in the header, and those of them that are the source's address. */
const V2_FAMILIES: Readonly<Record<number, { readonly bytes: number; readonly addressBytes: number }>> = {
  0: { bytes: 0, addressBytes: 0 },
  1: { bytes: 12, addressBytes: 4 },
  2: { bytes: 36, addressBytes: 16 },
  3: { bytes: 216, addressBytes: 0 },
};

const MOST_FAMILY_BYTES = 216;

export class ProxyHeaderReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** Of the header, still to come and of no interest: what a proxy adds in TLVs. */
  #toSkip: number | undefined;
  #source: string | undefined;
  #rest: Buffer = Buffer.alloc(0);

  /** Address of the client. `undefined` when the proxy speaks for itself, as in a health check, or does not know. */
  get source(): string | undefined {
    return this.#source;
  }

  /** Once complete: what came behind the header. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Not to be called after the header is complete or malformed. */
  push(chunk: Buffer): ProxyHeaderProgress {
    if (this.#toSkip !== undefined) return this.#skip(chunk);
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (startsLike(this.#bytes, V1_START)) return this.#readV1();
    return startsLike(this.#bytes, V2_SIGNATURE) ? this.#readV2() : "malformed";
  }

  #readV1(): ProxyHeaderProgress {
    const end = this.#bytes.subarray(0, V1_MAX_BYTES).indexOf("\r\n");
    if (end === -1) return this.#bytes.length < V1_MAX_BYTES ? "more" : "malformed";
    const [, protocol, ...fields] = this.#bytes.toString("latin1", 0, end).split(" ");
    if (protocol !== "UNKNOWN") {
      this.#source = sourceOfV1(protocol, fields);
      if (this.#source === undefined) return "malformed";
    }
    return this.#end(end + 2);
  }

  #readV2(): ProxyHeaderProgress {
    if (this.#bytes.length < V2_FIXED_BYTES) return "more";
    const length = this.#bytes.readUInt16BE(14);
    const needed = V2_FIXED_BYTES + Math.min(length, MOST_FAMILY_BYTES);
    if (this.#bytes.length < needed) return "more";

    const isLocal = this.#bytes[12] === 0x20;
    if (!isLocal && !this.#readV2Source(length)) return "malformed";
    return this.#end(V2_FIXED_BYTES + length);
  }

  /** Whether version, command and family are known ones, and the addresses have room. */
  #readV2Source(length: number): boolean {
    const [versionAndCommand = 0, familyAndTransport = 0] = this.#bytes.subarray(12, 14);
    const family = V2_FAMILIES[familyAndTransport >> 4];
    const isKnown = versionAndCommand === 0x21 && family !== undefined && (familyAndTransport & 0xf) <= 2;
    if (!isKnown || length < family.bytes) return false;

    const address = [...this.#bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + family.addressBytes)];
    if (address.length === 4) this.#source = address.join(".");
    if (address.length === 16) this.#source = normalizeAddress(formatV6(address));
    return true;
  }

  #end(headerBytes: number): ProxyHeaderProgress {
    const bytes = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    this.#toSkip = headerBytes;
    return this.#skip(bytes);
  }

  #skip(bytes: Buffer): ProxyHeaderProgress {
    const toSkip = this.#toSkip ?? 0;
    this.#rest = bytes.subarray(toSkip);
    this.#toSkip = Math.max(0, toSkip - bytes.length);
    return toSkip > bytes.length ? "more" : "complete";
  }
}

function sourceOfV1(protocol: string | undefined, fields: readonly string[]): string | undefined {
  const isAddress = protocol === "TCP4" ? isIPv4 : protocol === "TCP6" ? isIPv6 : () => false;
  const [source = "", destination = "", ...ports] = fields;
  const arePorts = ports.length === 2 && ports.every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535);
  return arePorts && isAddress(source) && isAddress(destination) ? normalizeAddress(source) : undefined;
}

/** As far as there are bytes. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}
