// What an app calls `box.presence`: who is in a room of this box, and what changes there.
// Keeps a copy of each room that local sockets are in, which the primary keeps current with diffs.

import { EventEmitter } from "node:events";
import type { BusConnection } from "../bus/connection.ts";
import { type BusMessage, fromWireError } from "../bus/messages.ts";
import type {
  PresenceDiffMessage,
  PresenceJoinMessage,
  PresenceMember,
  PresenceQueryMessage,
  PresenceStateMessage,
  RoomDiff,
} from "../bus/presence-messages.ts";
import { AllcoresError } from "../errors.ts";
import { type Deferred, defer, withDeadline } from "../lib/deadline.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { checkRoom, checkUser, type PresenceUser } from "./check-user.ts";
import { BroadcastWay, type DiffWay } from "./diff-way.ts";
import { LocalRoom, type PresenceSocket, roomKey } from "./local-room.ts";

/** The primary answers within milliseconds; one that does not hangs. */
const ANSWER_TIMEOUT_MS = 10_000;

/** The members of a room at one version. */
export interface PresenceState {
  readonly room: string;
  readonly version: number;
  readonly members: readonly PresenceMember[];
}

/** What happened between two versions. As an event for sockets its name is `presence:diff`. */
export interface PresenceDiff extends RoomDiff {
  readonly namespace: string;
}

export interface PresenceClientOptions {
  /** The connection to the primary. What it says has to be passed to `handle`. */
  readonly bus: Pick<BusConnection, "send">;
  readonly options: Options;
  readonly log: Logger;
  /** How sockets are told. @default a broadcast by whichever adapter there is */
  readonly way?: DiffWay | undefined;
}

interface PresenceEvents {
  /** Something changed in a room that sockets of this worker are in. */
  diff: [diff: PresenceDiff];
}

/** A question that the primary has not answered. `onState` runs before anything else that it says. */
interface Question {
  readonly answer: Deferred<PresenceState>;
  readonly room: string;
  readonly onState: () => void;
}

export class PresenceClient extends EventEmitter<PresenceEvents> {
  readonly #options: PresenceClientOptions;
  readonly #way: DiffWay;
  readonly #rooms = new Map<string, LocalRoom>();
  /** The rooms of each socket that ever joined one, until it disconnects. */
  readonly #sockets = new Map<string, Set<LocalRoom>>();
  readonly #questions = new Map<number, Question>();
  #lastRequest = 0;

  constructor(options: PresenceClientOptions) {
    super();
    this.#options = options;
    this.#way = options.way ?? new BroadcastWay();
  }

  /**
   * Makes the socket one of the user's connections in the room, until it leaves or disconnects. Joining again changes
   * user and info. Resolves to the state of the room with the user in it.
   *
   * From then on the socket gets every change as the event `presence:diff`; the first has the version after the
   * state's. A state that is passed on at once, as in `ack(await presence.join(...))`, is sent before it.
   *
   * Rejects with `ALLCORES_ERR_PRESENCE_REFUSED` (a name or info that is too large or no JSON, a socket that is gone),
   * `ALLCORES_ERR_PRESENCE_FULL`, `ALLCORES_ERR_BUS_CLOSED` or `ALLCORES_ERR_DEADLINE`.
   */
  async join(socket: PresenceSocket, room: string, user: PresenceUser): Promise<PresenceState> {
    const { presence } = this.#options.options;
    checkRoom(room, presence);
    const info = checkUser(user, presence);
    if (!socket.connected) throw goneError();

    const local = this.#follow(socket, room);
    const follower = local.add(socket);
    try {
      return await this.#ask(
        (request) => ({ type: "presenceJoin", request, room: local.key, socket: socket.id, user: user.user, ...info }),
        room,
        () => local.admit(follower),
      );
    } catch (error) {
      if (local.remove(follower)) this.#tellLeft(socket.id, local);
      throw error;
    }
  }

  /** The socket leaves the room. If it was the user's last one, the user is gone at once, without grace. */
  leave(socket: PresenceSocket, room: string): void {
    const local = this.#rooms.get(roomKey(socket.nsp.name, room));
    const follower = local?.beginLeave(socket.id);
    if (local === undefined || follower === undefined) return;
    this.#tellLeft(socket.id, local);
    this.#way.afterTurn(() => {
      local.remove(follower);
      this.#forgetIfEmpty(local);
    });
  }

  /** Who is in the room, on the whole box. */
  async list(room: string, namespace = "/"): Promise<PresenceState> {
    checkRoom(room, this.#options.options.presence);
    const key = roomKey(namespace, room);
    const known = this.#rooms.get(key)?.state;
    if (known !== undefined) return { room, ...known };
    return this.#ask((request) => ({ type: "presenceQuery", request, room: key }), room);
  }

  /** How many users are in the room, on the whole box. */
  async count(room: string, namespace = "/"): Promise<number> {
    return (await this.list(room, namespace)).members.length;
  }

  /** Takes what came over the bus from the primary; ignores what is not about presence. */
  handle(message: BusMessage): void {
    if (message.type === "presenceState") this.#onState(message);
    if (message.type === "presenceDiff") this.#onDiff(message);
    if (message.type === "presenceRefused") this.#settle(message.request)?.answer.reject(fromWireError(message.error));
  }

  #onState({ room: key, version, members, requests }: PresenceStateMessage): void {
    const local = this.#rooms.get(key);
    if (members !== undefined) local?.replace(version, members);
    const known = members ?? local?.state?.members;
    for (const request of requests) {
      const question = this.#settle(request);
      question?.onState();
      // Members are not sent again to who knows them, and all who knew them may have left by now.
      if (known === undefined) question?.answer.reject(goneError());
      else question?.answer.resolve({ room: question.room, version, members: known });
    }
  }

  #onDiff({ room: key, version, joined, left, updated }: PresenceDiffMessage): void {
    const local = this.#rooms.get(key);
    if (local === undefined) return;
    const diff = { room: local.name, version, joined, left, updated };
    if (!local.apply(diff)) return;
    try {
      this.emit("diff", { ...diff, namespace: local.namespace });
    } catch (error) {
      this.#options.log.error(errorFields(error), "a listener of presence diffs failed");
    }
  }

  /** The local room, which the socket leaves when it disconnects. */
  #follow(socket: PresenceSocket, name: string): LocalRoom {
    const key = roomKey(socket.nsp.name, name);
    const local = this.#rooms.get(key) ?? new LocalRoom(socket.nsp.name, name, this.#way);
    this.#rooms.set(key, local);
    if (!this.#sockets.has(socket.id)) socket.once("disconnect", () => this.#onDisconnect(socket.id));
    const rooms = this.#sockets.get(socket.id) ?? new Set();
    this.#sockets.set(socket.id, rooms.add(local));
    return local;
  }

  #onDisconnect(socket: string): void {
    for (const local of this.#sockets.get(socket) ?? []) {
      local.removeSocket(socket);
      this.#forgetIfEmpty(local);
    }
    this.#sockets.delete(socket);
    this.#options.bus.send({ type: "presenceDrop", socket });
  }

  #tellLeft(socket: string, local: LocalRoom): void {
    this.#sockets.get(socket)?.delete(local);
    this.#forgetIfEmpty(local);
    this.#options.bus.send({ type: "presenceLeave", room: local.key, socket });
  }

  #forgetIfEmpty(local: LocalRoom): void {
    if (local.isEmpty && this.#rooms.get(local.key) === local) this.#rooms.delete(local.key);
  }

  async #ask(
    build: (request: number) => PresenceJoinMessage | PresenceQueryMessage,
    room: string,
    onState: () => void = () => {},
  ): Promise<PresenceState> {
    const request = ++this.#lastRequest;
    const answer = defer<PresenceState>();
    this.#questions.set(request, { answer, room, onState });
    try {
      if (!this.#options.bus.send(build(request))) throw busClosedError();
      return await withDeadline(answer.promise, ANSWER_TIMEOUT_MS, "The primary's answer about presence");
    } finally {
      this.#questions.delete(request);
    }
  }

  #settle(request: number): Question | undefined {
    const question = this.#questions.get(request);
    this.#questions.delete(request);
    return question;
  }
}

function goneError(): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_PRESENCE_REFUSED",
    "The socket left or disconnected before it was in the room.",
  );
}

function busClosedError(): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_BUS_CLOSED", "The primary cannot be reached: this worker is about to end.");
}
