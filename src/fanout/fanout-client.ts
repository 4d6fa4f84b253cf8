// The worker's half of the fan-out: says what the other servers are to hear, and hands what they say to the adapter of
// the namespace. It knows no Redis and no particular adapter.

import { randomBytes } from "node:crypto";
import type { Adapter, BroadcastOptions, Room } from "socket.io-adapter";
import type { BusMessage } from "../bus/messages.ts";
import { AllcoresError, toError } from "../errors.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import { applyBroadcast, applyRequest, hasRoom } from "./local-sockets.ts";
import { NO_ANSWER } from "./merge-answers.ts";
import { decodeBroadcast, decodeRequest, decodeResponse, encodeMsgpack, REQUEST_TYPE } from "./wire-format.ts";
import { WorkerLink, type WorkerLinkOptions } from "./worker-link.ts";
import { type Answers, WorkerQuestions } from "./worker-questions.ts";

/** What came of a `serverSideEmit` with a callback. */
export interface ServerAnswers {
  readonly error: Error | null;
  readonly values: readonly unknown[];
}

/** What @socket.io/redis-adapter waits for answers by default. */
const DEFAULT_DEADLINE_MS = 5000;

export class FanoutClient {
  readonly #log: Logger;
  readonly #link: WorkerLink;
  readonly #questions: WorkerQuestions;
  readonly #adapters = new Map<string, Adapter>();

  constructor({ bus, log }: WorkerLinkOptions) {
    this.#log = log;
    this.#link = new WorkerLink({ bus, log });
    this.#questions = new WorkerQuestions(this.#link);
  }

  /** From now on what other servers say in the adapter's namespace is applied to its sockets. */
  open(adapter: Adapter): void {
    const { name: nsp } = adapter.nsp;
    this.#adapters.set(nsp, adapter);
    this.#link.send({ type: "fanoutOpen", nsp });
  }

  close(adapter: Adapter): void {
    const { name: nsp } = adapter.nsp;
    // A namespace that went and came back has another adapter by now.
    if (this.#adapters.get(nsp) !== adapter) return;
    this.#adapters.delete(nsp);
    this.#link.send({ type: "fanoutClose", nsp });
  }

  broadcast(nsp: string, packet: object, opts: BroadcastOptions): void {
    const [room, ...others] = opts.rooms;
    const one = room !== undefined && others.length === 0 ? { room: String(room) } : {};
    this.#link.send({ type: "fanoutPublish", nsp, ...one }, () => encodeMsgpack([{ ...packet, nsp }, toWire(opts)]));
  }

  addSockets(nsp: string, opts: BroadcastOptions, rooms: readonly Room[]): void {
    this.#tell(nsp, { type: REQUEST_TYPE.join, opts: toWire(opts), rooms });
  }

  delSockets(nsp: string, opts: BroadcastOptions, rooms: readonly Room[]): void {
    this.#tell(nsp, { type: REQUEST_TYPE.leave, opts: toWire(opts), rooms });
  }

  disconnectSockets(nsp: string, opts: BroadcastOptions, close: boolean): void {
    this.#tell(nsp, { type: REQUEST_TYPE.disconnect, opts: toWire(opts), close });
  }

  serverSideEmit(nsp: string, data: readonly unknown[]): void {
    this.#tell(nsp, { type: REQUEST_TYPE.serverSideEmit, data });
  }

  /** `onClientCount` gets the number of clients on all other servers, once; not at all when a server is silent. */
  broadcastWithAck(
    nsp: string,
    packet: object,
    opts: BroadcastOptions,
    onClientCount: (count: number) => void,
    onAck: (ack: unknown) => void,
  ): void {
    const requestId = newRequestId();
    const deadlineMs = deadlineOf(opts);
    const request = { requestId, type: REQUEST_TYPE.broadcast, packet: { ...packet, nsp }, opts: toWire(opts) };

    this.#questions.passAcks(requestId, deadlineMs, onAck);
    this.#questions
      .ask({ nsp, requestId, deadlineMs, forAcks: true }, () => encodeMsgpack(request))
      .then(
        ({ values, missing }) => {
          if (missing === 0) onClientCount(values.reduce((sum, value) => sum + clientCountOf(value), 0));
        },
        (error: unknown) => this.#log.warn(errorFields(error), "emitWithAck did not reach the other servers"),
      );
  }

  /** Resolves to what is known of the sockets of the other servers. Rejects when one of them does not answer in time. */
  async fetchSockets(nsp: string, opts: BroadcastOptions): Promise<unknown[]> {
    const request = { requestId: newRequestId(), type: REQUEST_TYPE.fetchSockets, opts: toWire(opts) };
    const deadlineMs = deadlineOf(opts);
    const { values, missing } = await this.#ask(nsp, request, deadlineMs);
    if (missing > 0) throw missingError(missing, deadlineMs);
    return values.flatMap((value) => (value as { sockets?: unknown[] }).sockets ?? []);
  }

  /**
   * Resolves to what each other server answered, another box for each of its workers, and to what kept the rest from
   * answering. Never rejects.
   */
  async serverSideEmitWithAck(nsp: string, data: readonly unknown[]): Promise<ServerAnswers> {
    const request = { requestId: newRequestId(), type: REQUEST_TYPE.serverSideEmit, data };
    try {
      const { values, missing } = await this.#ask(nsp, request, DEFAULT_DEADLINE_MS);
      const error = missing > 0 ? missingError(missing, DEFAULT_DEADLINE_MS) : null;
      return { error, values: values.flatMap(answersOf) };
    } catch (error) {
      return { error: toError(error), values: [] };
    }
  }

  /** Takes the messages of the primary and ignores those that are not the fan-out's. Never throws. */
  handle(message: BusMessage, body: Buffer): void {
    try {
      this.#dispatch(message, body);
    } catch (error) {
      this.#log.error(errorFields(error), "a message of another server failed here");
    }
  }

  #dispatch(message: BusMessage, body: Buffer): void {
    switch (message.type) {
      case "fanoutBroadcast":
        this.#onBroadcast(message.nsp, message.room, body);
        break;
      case "fanoutRequest":
        void this.#onRequest(message.nsp, message.relayId, body);
        break;
      case "fanoutAnswers":
        this.#questions.onAnswers(message, body);
        break;
      case "fanoutClientAck":
        this.#questions.onClientAck(message.requestId, decodeResponse(Buffer.from(body))?.value ?? {});
    }
  }

  #onBroadcast(nsp: string, room: string | undefined, body: Buffer): void {
    const adapter = this.#adapters.get(nsp);
    if (adapter === undefined || (room !== undefined && !hasRoom(adapter, room))) return;
    // Binary attachments are views of these bytes, and may wait for a slow client after the tick.
    const decoded = decodeBroadcast(Buffer.from(body), nsp);
    if (decoded !== undefined) applyBroadcast(adapter, decoded.packet, decoded.filter);
  }

  async #onRequest(nsp: string, relayId: number | undefined, body: Buffer): Promise<void> {
    const answer = (part: string): void => {
      if (relayId !== undefined) this.#link.send({ type: "fanoutAnswer", relayId }, () => Buffer.from(part));
    };
    const adapter = this.#adapters.get(nsp);
    const request = decodeRequest(Buffer.from(body), nsp);
    if (adapter === undefined || request === undefined) {
      answer(NO_ANSWER);
      return;
    }
    const { uid: to } = request;
    const clientAck = (response: Buffer): void => {
      this.#link.send({ type: "fanoutRespond", nsp, ...(to !== undefined && { to }) }, () => response);
    };
    try {
      await applyRequest(adapter, request, { answer, clientAck });
    } catch (error) {
      this.#log.error({ ...errorFields(error), request: request.kind }, "a request of another server failed here");
    }
  }

  #tell(nsp: string, request: object): void {
    this.#link.send({ type: "fanoutTell", nsp }, () => Buffer.from(JSON.stringify(request)));
  }

  #ask(nsp: string, request: { requestId: string }, deadlineMs: number): Promise<Answers<object>> {
    const { requestId } = request;
    return this.#questions.ask({ nsp, requestId, deadlineMs, forAcks: false }, () =>
      Buffer.from(JSON.stringify(request)),
    );
  }
}

function newRequestId(): string {
  return randomBytes(8).toString("hex");
}

function deadlineOf({ flags }: BroadcastOptions): number {
  return flags?.timeout ?? DEFAULT_DEADLINE_MS;
}

function toWire({ rooms, except = new Set(), flags = {} }: BroadcastOptions): object {
  return { rooms: [...rooms], except: [...except], flags };
}

function clientCountOf(response: object): number {
  return Number((response as { clientCount?: unknown }).clientCount ?? 0);
}

function answersOf(response: object): readonly unknown[] {
  const { answers, data } = response as { answers?: unknown; data?: unknown };
  return Array.isArray(answers) ? answers : [data];
}

function missingError(missing: number, deadlineMs: number): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_DEADLINE",
    `${missing} other server(s) did not answer within ${deadlineMs} ms.`,
  );
}
