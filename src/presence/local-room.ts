// One room as one worker sees it: a copy of its members at some version, and the local sockets that follow it.
//
//   joining --admit (state of version v)--> live --leave--> leaving --remove--> gone
//
// A joining socket gets no diffs, since its state will contain them. A leaving one gets those of before its leave; the
// primary knows already that it is gone.

import type { PresenceMember, RoomDiff } from "../bus/presence-messages.ts";
import type { DiffWay } from "./diff-way.ts";

/** What is used of a Socket.IO socket, whatever its typed events are. */
export interface PresenceSocket {
  readonly id: string;
  readonly connected: boolean;
  readonly nsp: {
    readonly name: string;
    readonly local: { to(rooms: string[]): unknown };
  };
  once(event: "disconnect", listener: () => void): unknown;
}

/** One join of a socket; a later join of the same socket takes its place. */
export interface Follower {
  readonly socket: PresenceSocket;
  stage: "joining" | "live" | "leaving";
}

interface Replica {
  version: number;
  readonly members: Map<string, PresenceMember>;
}

export class LocalRoom {
  readonly namespace: string;
  readonly name: string;
  readonly #way: DiffWay;
  readonly #followers = new Map<string, Follower>();
  #replica: Replica | undefined;

  constructor(namespace: string, name: string, way: DiffWay) {
    this.namespace = namespace;
    this.name = name;
    this.#way = way;
  }

  /** The room's name over all namespaces: that of a namespace has no comma. */
  get key(): string {
    return roomKey(this.namespace, this.name);
  }

  get isEmpty(): boolean {
    return this.#followers.size === 0;
  }

  /** The members as far as they are known here. Without followers that stay, the primary tells of no changes. */
  get state(): { readonly version: number; readonly members: PresenceMember[] } | undefined {
    if (this.#replica === undefined || !this.#isFollowed()) return undefined;
    return { version: this.#replica.version, members: [...this.#replica.members.values()] };
  }

  add(socket: PresenceSocket): Follower {
    const follower: Follower = { socket, stage: "joining" };
    this.#followers.set(socket.id, follower);
    return follower;
  }

  /** The follower has its state: from the next diff on it gets them all. */
  admit(follower: Follower): void {
    follower.stage = "live";
    this.#way.holdBack(follower.socket);
  }

  /** Returns whether it was there: a socket that joined again has another follower. */
  remove(follower: Follower): boolean {
    return this.#follows(follower) && this.#followers.delete(follower.socket.id);
  }

  /** The socket is about to be removed. Returns its follower, if it had one that was not leaving. */
  beginLeave(id: string): Follower | undefined {
    const follower = this.#followers.get(id);
    if (follower === undefined || follower.stage === "leaving") return undefined;
    // One that has no state yet gets no diffs either.
    if (follower.stage === "joining") this.#followers.delete(id);
    follower.stage = "leaving";
    return follower;
  }

  removeSocket(id: string): boolean {
    return this.#followers.delete(id);
  }

  /** Takes the primary's state, unless what is known is as new. */
  replace(version: number, members: readonly PresenceMember[]): void {
    if (this.#replica !== undefined && this.#replica.version >= version) return;
    this.#replica = { version, members: new Map(members.map((member) => [member.user, member])) };
  }

  /** Applies a diff and passes it on to the sockets. Returns whether it was the next one. */
  apply(diff: RoomDiff): boolean {
    if (this.#replica === undefined || diff.version !== this.#replica.version + 1) return false;
    const { members } = this.#replica;
    this.#replica.version = diff.version;
    for (const member of [...diff.joined, ...diff.updated]) members.set(member.user, member);
    for (const user of diff.left) members.delete(user);

    const live = [...this.#followers.values()].filter(({ stage }) => stage !== "joining");
    this.#way.send(
      live.map(({ socket }) => socket),
      diff,
    );
    return true;
  }

  #isFollowed(): boolean {
    for (const { stage } of this.#followers.values()) if (stage !== "leaving") return true;
    return false;
  }

  #follows(follower: Follower): boolean {
    return this.#followers.get(follower.socket.id) === follower;
  }
}

export function roomKey(namespace: string, room: string): string {
  return `${namespace},${room}`;
}
