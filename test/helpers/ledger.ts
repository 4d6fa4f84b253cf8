// Who has to hear what, worked out as simply as can be: when each session was in which room, by what workers told the hub
// in which order, and what was said at which place. Afterwards it is held against what clients heard.

import type { HubRestoredMessage, HubUpMessage } from "../../src/bus/hub-messages.ts";

const EVERYONE = "";

interface Target {
  readonly rooms: readonly string[];
  readonly except: readonly string[];
}

export interface Saying extends Target {
  readonly number: number;
  /** The worker that said it. */
  readonly by: object;
  /** Who comes back hears it too. */
  readonly isKept: boolean;
  /** In the order of the box; without one it did not get that far, or was for the worker's own sockets. */
  place: number | undefined;
}

/** What a client heard between two times that it was told to start afresh. */
export class Life {
  readonly sid: string;
  readonly heard: { readonly number: number; readonly place: number | undefined }[] = [];
  /** Everything up to here that was for it has come. */
  upTo = 0;
  isOver = false;
  /** Its worker told it to go, after it had said so much. */
  toBeKicked: { readonly by: object; readonly after: number } | undefined;
  wasKicked = false;

  constructor(sid: string) {
    this.sid = sid;
  }

  reached(place: number): void {
    this.upTo = Math.max(this.upTo, place);
  }

  end(): void {
    this.isOver = true;
  }

  kicked(): void {
    this.wasKicked = true;
    this.end();
  }
}

interface KnownSession {
  readonly sid: string;
  readonly pid: string | undefined;
  readonly since: number;
  readonly changes: { readonly room: string; readonly isIn: boolean; readonly at: number }[];
  home: { readonly worker: object; readonly key: number } | undefined;
  isEvicted: boolean;
  isForgotten: boolean;
}

export class Ledger {
  readonly said = new Map<number, Saying>();
  readonly faults: string[] = [];
  /** Clients that started afresh because the hub had let go of something. */
  trimmed = 0;
  readonly #sessions = new Map<string, KnownSession>();

  readonly #kicked = new Set<string>();

  kicked(sid: string): void {
    this.#kicked.add(sid);
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  placed(number: number, place: number): void {
    const saying = this.said.get(number);
    if (saying !== undefined) saying.place = place;
  }

  /** The hub is about to take this, with `at` as its last place. */
  onUp(worker: object, message: HubUpMessage, at: number): void {
    if (message.type === "hub:attach") {
      const { sid, pid, key } = message;
      const changes = [{ room: EVERYONE, isIn: true, at }];
      this.#sessions.set(sid, {
        sid,
        pid,
        since: at,
        changes,
        home: { worker, key },
        isEvicted: false,
        isForgotten: false,
      });
    }
    if (message.type === "hub:join" || message.type === "hub:leave") {
      const session = this.#at(worker, message.key);
      const isIn = message.type === "hub:join";
      for (const room of message.rooms) session?.changes.push({ room, isIn, at });
    }
    if (message.type === "hub:move") {
      const { target, rooms, operation } = message;
      const isMoved = (session: KnownSession) => session.home !== undefined && isMeant(session, target, at + 1);
      const moved = [...this.#sessions.values()].filter(isMoved);
      for (const session of moved) {
        for (const room of rooms) session.changes.push({ room, isIn: operation === "join", at: at + 1 });
      }
    }
    if (message.type === "hub:detach") {
      const session = this.#at(worker, message.key);
      if (session === undefined) return;
      leaveHome(session);
      const mayReturn = session.pid !== undefined && !this.#kicked.has(session.sid);
      if (mayReturn && !message.isRecoverable) this.fault("a client was forgotten that was only lost");
      session.isForgotten = !message.isRecoverable;
    }
  }

  gone(worker: object): void {
    for (const session of this.#sessions.values()) if (session.home?.worker === worker) leaveHome(session);
  }

  /** The hub wants the session's old connection to be closed. */
  onEvict(worker: object, key: number): void {
    const session = this.#at(worker, key);
    if (session !== undefined) session.isEvicted = true;
  }

  /** The hub takes those that should have been closed as lost. */
  evictionsOver(): void {
    for (const session of this.#sessions.values()) if (session.isEvicted) leaveHome(session);
  }

  /** The hub has answered a client that came back. */
  onRestored(
    worker: object,
    key: number,
    pid: string,
    place: number | undefined,
    outcome: HubRestoredMessage["outcome"],
  ): void {
    const session = [...this.#sessions.values()].find((one) => one.pid === pid);
    const isKnown = session !== undefined && !session.isForgotten && place !== undefined && place >= session.since;
    const isRecovered = typeof outcome === "object";
    // What the hub keeps is bounded: what it has let go of it says.
    if (isKnown !== isRecovered && outcome !== "trimmed")
      this.fault(`a client ${isKnown ? "should" : "should not"} have been recovered`);
    if (outcome === "trimmed") this.trimmed++;
    if (session !== undefined && isRecovered) session.home = { worker, key };
  }

  judge(lives: readonly Life[]): void {
    for (const life of lives) {
      const session = this.#sessions.get(life.sid);
      if (session === undefined) this.fault("a client is in that the hub does not know");
      else {
        this.#judgeHeard(life, session);
        this.#judgeUnheard(life, session);
      }
    }
  }

  #judgeHeard({ heard }: Life, session: KnownSession): void {
    const numbers = new Set<number>();
    const lastBy = new Map<object, number>();
    let last = 0;
    let lastOrdered = 0;
    for (const { number, place } of heard) {
      const saying = this.said.get(number) as Saying;
      if (numbers.has(number)) this.fault(`${number} was heard twice`);
      if (number < (lastBy.get(saying.by) ?? 0)) this.fault(`${number} was heard after what was said later`);
      if (place !== undefined) {
        if (place < last) this.fault(`${number} at ${place} was heard after ${last}`);
        last = place;
      }
      if (saying.place !== undefined) {
        if (place !== undefined && place !== saying.place)
          this.fault(`${number} has its place at ${saying.place} and came as ${place}`);
        if (saying.place <= lastOrdered) this.fault(`${number} was heard out of order`);
        lastOrdered = saying.place;
      }
      if (!couldHear(session, saying)) this.fault(`${number} was heard by one it was not for`);
      numbers.add(number);
      lastBy.set(saying.by, number);
    }
  }

  #judgeUnheard({ heard, upTo: position, isOver, wasKicked, toBeKicked }: Life, session: KnownSession): void {
    const numbers = new Set(heard.map(({ number }) => number));
    const upTo = Math.max(position, ...heard.map(({ number }) => this.said.get(number)?.place ?? 0));
    for (const saying of this.said.values()) {
      const { number, place, isKept, by } = saying;
      if (!isKept || place === undefined || numbers.has(number)) continue;
      const isBeforeKick = wasKicked && toBeKicked?.by === by && number <= toBeKicked.after;
      const hasCome = !isOver || place <= upTo || isBeforeKick;
      if (hasCome && isMeant(session, saying, place)) this.fault(`${number} at ${place} was lost`);
    }
  }

  #at(worker: object, key: number): KnownSession | undefined {
    return [...this.#sessions.values()].find(({ home }) => home?.worker === worker && home.key === key);
  }
}

function leaveHome(session: KnownSession): void {
  session.home = undefined;
  session.isEvicted = false;
}

/** Without a place, who was in an app's room at that moment is not known here, but a socket's own room is its own. */
function couldHear(session: KnownSession, { place, ...target }: Saying): boolean {
  if (place !== undefined) return isMeant(session, target, place);
  const isOthers = (room: string): boolean => room.length === session.sid.length && room !== session.sid;
  return target.rooms.length === 0 || !target.rooms.every(isOthers);
}

function isMeant(session: KnownSession, { rooms, except }: Target, place: number): boolean {
  const isThere = (room: string): boolean => isInAt(session, room, place);
  return (rooms.length === 0 ? [EVERYONE] : rooms).some(isThere) && !except.some(isThere);
}

/** Whether it was in the room for what has this place. */
function isInAt({ changes }: KnownSession, room: string, place: number): boolean {
  return changes.findLast((change) => change.room === room && change.at < place)?.isIn === true;
}
