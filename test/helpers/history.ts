// A history checker: clients in rooms say numbered things and keep what they hear; afterwards the histories are compared.
// All members of a room must have heard the same things in the same order, each once, and everything that was acked.

import type { Socket } from "socket.io-client";
import { newClient } from "./clients.ts";

export interface Member {
  readonly name: string;
  readonly room: string;
  readonly socket: Socket;
  /** What was heard, as `SENDER:NUMBER`; `null` where the client came back and was not recovered. */
  readonly heard: (string | null)[];
  /** What was said and acked. */
  readonly acked: string[];
  /** Process id of the worker it is on. */
  pid: number;
  recoveries: number;
  isIn: boolean;
}

export interface Verdict {
  readonly deliveries: number;
  readonly acked: number;
  readonly recovered: number;
  readonly unrecovered: number;
  /** One line for each thing that must not be. */
  readonly faults: readonly string[];
}

/** Connects a client that joins its room for good and keeps what it hears. */
export function newMember(url: string, name: string, room: string): Member {
  const socket = newClient(url, { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 500 });
  const member: Member = { name, room, socket, heard: [], acked: [], pid: 0, recoveries: 0, isIn: false };
  socket.on("worker", ({ pid }: { pid: number }) => {
    member.pid = pid;
  });
  socket.on("said", (sender: string, number: number) => member.heard.push(`${sender}:${number}`));
  socket.on("connect", () => {
    if (socket.recovered) member.recoveries++;
    else if (member.isIn) member.heard.push(null);
    if (!socket.recovered || !member.isIn) {
      socket.emit("join", room, () => {
        member.isIn = true;
      });
    }
  });
  return member;
}

/** Says one thing; what the box acks must be heard by all. */
export function say(member: Member, number: number): void {
  member.socket.emit("say", member.room, member.name, number, () => member.acked.push(`${member.name}:${number}`));
}

/** Cuts the client's TCP connection without a word. */
export function cut({ socket }: Member): void {
  const { ws } = (socket.io.engine?.transport ?? {}) as { ws?: { _socket?: { destroy(): void } } };
  ws?._socket?.destroy();
}

export function judge(members: readonly Member[]): Verdict {
  const rooms = groupByRoom(members);
  return {
    deliveries: members.reduce((count, { heard }) => count + heard.filter((entry) => entry !== null).length, 0),
    acked: members.reduce((count, { acked }) => count + acked.length, 0),
    recovered: members.reduce((count, { recoveries }) => count + recoveries, 0),
    unrecovered: members.reduce((count, { heard }) => count + heard.filter((entry) => entry === null).length, 0),
    faults: [...rooms].flatMap(([room, inRoom]) => judgeRoom(room, inRoom)),
  };
}

function groupByRoom(members: readonly Member[]): Map<string, Member[]> {
  const rooms = new Map<string, Member[]>();
  for (const member of members) rooms.set(member.room, [...(rooms.get(member.room) ?? []), member]);
  return rooms;
}

function judgeRoom(room: string, members: readonly Member[]): string[] {
  const whole = members.filter(({ heard }) => !heard.includes(null));
  const order = whole.reduce<readonly (string | null)[]>(
    (longest, { heard }) => (heard.length > longest.length ? heard : longest),
    [],
  );
  const places = new Map(order.map((entry, place) => [entry, place]));
  const faults = places.size === order.length ? [] : [`${room}: something was heard twice`];
  for (const { name, heard } of whole) {
    const place = order.findIndex((entry, i) => entry !== heard[i]);
    if (place !== -1) faults.push(`${room}: ${name} heard ${heard[place]} instead of ${order[place]} at ${place}`);
  }
  for (const member of members.filter((candidate) => !whole.includes(candidate))) {
    faults.push(...judgePartial(room, member, places));
  }
  const lost = members.flatMap(({ acked }) => acked).filter((entry) => whole.length > 0 && !places.has(entry));
  return [...faults, ...lost.map((entry) => `${room}: ${entry} was acked and not heard`)];
}

/** One that was not recovered at some point may miss things, but hears nothing twice and nothing out of order. */
function judgePartial(room: string, { name, heard }: Member, places: ReadonlyMap<string | null, number>): string[] {
  const seen = heard.flatMap((entry) => (entry === null ? [] : (places.get(entry) ?? [])));
  const isInOrder = seen.every((place, i) => i === 0 || place > (seen[i - 1] ?? -1));
  return isInOrder ? [] : [`${room}: ${name} heard things twice or out of order`];
}
