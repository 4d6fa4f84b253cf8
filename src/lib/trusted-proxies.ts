// Whose word counts when it comes to who the client is, and who the client is then.

import { normalizeAddress, parseAddress } from "./ip-address.ts";

interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** Addresses and networks that the operator named. */
export class TrustedProxies {
  readonly #networks: readonly Network[];

  /** Entries are what `isNetwork` accepts; others match nothing. */
  constructor(entries: readonly string[]) {
    this.#networks = entries.flatMap((entry) => parseNetwork(entry) ?? []);
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  has(address: string): boolean {
    if (this.isEmpty) return false;
    const bytes = parseAddress(address);
    return bytes !== undefined && this.#networks.some((network) => contains(network, bytes));
  }
}

/** Whether `text` is an address, or a network like `10.0.0.0/8` and `2001:db8::/32`. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/**
 * The client's address: the last one in the chain of `X-Forwarded-For` and `peer` that is not a trusted proxy's. Each
 * proxy adds on the right who it was called by, so the way goes from right to left, and what stands left of the first
 * address that nobody vouches for is what the client made up. At an entry that is no address it ends as well.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: TrustedProxies): string {
  let address = normalizeAddress(peer) ?? peer;
  const hops = forwardedFor?.split(",").filter((hop) => hop.trim() !== "") ?? [];
  while (hops.length > 0 && trusted.has(address)) {
    const next = parseHop(hops.pop() ?? "");
    if (next === undefined) break;
    address = next;
  }
  return address;
}

/** `192.0.2.1`, and as some proxies write it `192.0.2.1:8080` and `[2001:db8::1]:8080`. */
function parseHop(text: string): string | undefined {
  const hop = text.trim();
  const [, bare] = /^\[(.+)\](?::\d+)?$/.exec(hop) ?? /^([\d.]+):\d+$/.exec(hop) ?? [];
  return normalizeAddress(bare ?? hop);
}

function parseNetwork(text: string): Network | undefined {
  const [address = "", length, ...more] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined || more.length > 0) return undefined;
  // The length of a mapped IPv4 network counts from the start of the IPv6 address.
  const offset = bytes.length === 4 && address.includes(":") ? 96 : 0;
  const bits = length === undefined ? bytes.length * 8 : Number(length) - offset;
  const fits = bits >= 0 && bits <= bytes.length * 8 && /^\d+$/.test(length ?? "0");
  return fits ? { bytes, bits } : undefined;
}

function contains({ bytes, bits }: Network, address: readonly number[]): boolean {
  if (bytes.length !== address.length) return false;
  return bytes.every((byte, i) => {
    const mask = 0xff00 >> Math.min(8, Math.max(0, bits - 8 * i));
    return ((byte ^ (address[i] ?? 0)) & mask & 0xff) === 0;
  });
}
