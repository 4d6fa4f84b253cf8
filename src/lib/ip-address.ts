// Reads IP addresses as text. An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) is the IPv4 address.

import { isIPv4, isIPv6 } from "node:net";

/** The four bytes of an IPv4 address or the sixteen of an IPv6 one; `undefined` when `text` is neither. */
export function parseAddress(text: string): readonly number[] | undefined {
  if (isIPv4(text)) return parseV4(text);
  if (!isIPv6(text)) return undefined;
  const bytes = parseV6(text.replace(/%.*$/, ""));
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** The address as everybody writes it, or `undefined` when `text` is none. */
export function normalizeAddress(text: string): string | undefined {
  const bytes = parseAddress(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? bytes.join(".") : formatV6(bytes);
}

/** Sixteen bytes as RFC 5952 writes them: `2001:db8::1`. */
export function formatV6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) => groupAt(bytes, i).toString(16));
  // A URL's host is written like this too.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** What addresses of one customer have in common: all of an IPv4 address, the first 64 bits of an IPv6 one. */
export function networkOf(address: string): string {
  const bytes = parseAddress(address);
  if (bytes === undefined || bytes.length === 4) return bytes?.join(".") ?? address;
  return `${Array.from({ length: 4 }, (_, i) => groupAt(bytes, i).toString(16)).join(":")}::/64`;
}

function parseV4(text: string): number[] {
  return text.split(".").map(Number);
}

function parseV6(text: string): number[] {
  const [front = [], back = []] = text.split("::").map(bytesOfGroups);
  return [...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back];
}

function bytesOfGroups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return parseV4(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

function groupAt(bytes: readonly number[], index: number): number {
  return ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0);
}
