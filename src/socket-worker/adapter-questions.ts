// The questions of one adapter: fetchSockets, serverSideEmit with an ack, and broadcasts whose clients answer.
// Each worker answers once (a broadcast's acks are gathered), to the asker alone; one that dies owes no answer any more.

import { type ClusterMessage, type ClusterResponse, MessageType } from "socket.io-adapter";
import type { Packet } from "socket.io-parser";
import type { HubQuestion, HubQuestionMessage } from "../bus/hub-messages.ts";
import { AckCollector } from "./ack-collector.ts";
import type { BoxBus } from "./box-bus.ts";
import { packPayload, unpackPayload } from "./payload.ts";

/** How long workers are waited for, as socket.io-adapter has it. */
const ANSWER_TIMEOUT_MS = 5000;

/** Broadcast options as they travel. */
export interface PlainOptions {
  readonly rooms: string[];
  readonly except: string[];
  readonly flags: { readonly timeout?: number; readonly [name: string]: unknown };
}

export type ServerSideAck = (error: Error | null, responses: unknown[]) => void;

/** Broadcasts to this worker's own clients. */
export type LocalBroadcast = (onCount: (clients: number) => void, onAck: (ack: unknown) => void) => void;

interface Question {
  readonly question: HubQuestion;
  readonly type: MessageType;
  readonly rooms: readonly string[];
  readonly data: object;
  readonly timeoutMs: number;
  /** Called at the question's place in the order. */
  readonly atPlace?: () => void;
  readonly onAnswer: (answer: unknown) => void;
  readonly onComplete: () => void;
  readonly onTimeout: (error: Error) => void;
}

export class AdapterQuestions {
  readonly #bus: BoxBus;
  readonly #identity: { readonly uid: string; readonly namespace: string };
  readonly #collectors = new Map<string, AckCollector>();

  constructor(bus: BoxBus, identity: { readonly uid: string; readonly namespace: string }) {
    this.#bus = bus;
    this.#identity = identity;
  }

  fetchSockets(options: PlainOptions, local: () => Promise<unknown[]>): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      let ours: Promise<unknown[]> = Promise.resolve([]);
      const theirs: unknown[] = [];
      this.#ask({
        question: "fetchSockets",
        type: MessageType.FETCH_SOCKETS,
        rooms: options.rooms,
        data: { opts: options },
        timeoutMs: options.flags.timeout ?? ANSWER_TIMEOUT_MS,
        atPlace: () => {
          ours = local();
        },
        onAnswer: (sockets) => theirs.push(...(sockets as unknown[])),
        onComplete: () => void ours.then((sockets) => resolve([...sockets, ...theirs]), reject),
        onTimeout: reject,
      });
    });
  }

  serverSideEmit(packet: readonly unknown[], ack: ServerSideAck): void {
    const responses: unknown[] = [];
    this.#ask({
      question: "serverSideEmit",
      type: MessageType.SERVER_SIDE_EMIT,
      rooms: [],
      data: { packet },
      timeoutMs: ANSWER_TIMEOUT_MS,
      onAnswer: (response) => responses.push(response),
      onComplete: () => ack(null, responses),
      onTimeout: (error) => ack(error, responses),
    });
  }

  /**
   * Acks are passed on as they come. The clients are counted when every worker has said its last, all together: one that
   * died has fewer acks than clients, and nobody waits for those.
   */
  broadcast(
    packet: Packet,
    options: PlainOptions,
    local: LocalBroadcast,
    countClients: (clients: number) => void,
    ack: (ack: unknown) => void,
  ): void {
    let clients = 0;
    let isLocalDone = false;
    let areOthersDone = false;
    const settle = (): void => {
      if (isLocalDone && areOthersDone) countClients(clients);
    };
    this.#ask({
      question: "broadcast",
      type: MessageType.BROADCAST,
      rooms: options.rooms,
      data: { packet, opts: options },
      timeoutMs: options.flags.timeout ?? ANSWER_TIMEOUT_MS,
      atPlace: () =>
        local((count) => {
          clients += count;
          isLocalDone = true;
          settle();
        }, ack),
      onAnswer: (acks) => {
        for (const one of acks as unknown[]) {
          clients++;
          ack(one);
        }
      },
      onComplete: () => {
        areOthersDone = true;
        settle();
      },
      // Socket.IO has its own timer, which answers with what has come.
      onTimeout: () => {},
    });
  }

  /** Makes a question of another worker what the base class understands: it finds its way back by its request id. */
  receive({ from, ticket, question }: HubQuestionMessage, body: Buffer): ClusterMessage {
    const message = unpackPayload<ClusterMessage & { data: { requestId: string } }>(body);
    const requestId = `${from}:${ticket}`;
    if (question === "broadcast") this.#collectors.set(requestId, this.#collectorFor(requestId));
    message.data.requestId = requestId;
    return message;
  }

  /** What the base class answers to a question. */
  respond(response: ClusterResponse): void {
    const { requestId } = response.data;
    switch (response.type) {
      case MessageType.FETCH_SOCKETS_RESPONSE:
        this.#answer(requestId, response.data.sockets, true);
        break;
      case MessageType.SERVER_SIDE_EMIT_RESPONSE:
        this.#answer(requestId, response.data.packet, true);
        break;
      case MessageType.BROADCAST_CLIENT_COUNT:
        this.#collectors.get(requestId)?.expect(response.data.clientCount);
        break;
      case MessageType.BROADCAST_ACK:
        this.#collectors.get(requestId)?.add(response.data.packet);
        break;
    }
  }

  #ask({ question, type, rooms, data, timeoutMs, atPlace, ...handlers }: Question): void {
    const { uid, namespace } = this.#identity;
    const body = packPayload({ type, uid, nsp: namespace, data: { ...data, requestId: "" } });
    const ticket = this.#bus.link.send({ type: "hub:ask", namespace, question, rooms }, atPlace, body);
    const timer = setTimeout(() => {
      this.#bus.questions.drop(ticket);
      handlers.onTimeout(new Error(`timeout reached: not all workers have answered within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#bus.questions.add(ticket, {
      onAnswer: (answer) => handlers.onAnswer(unpackPayload(answer)),
      onComplete: () => {
        clearTimeout(timer);
        handlers.onComplete();
      },
    });
  }

  #collectorFor(requestId: string): AckCollector {
    return new AckCollector((acks, isLast) => {
      if (isLast) this.#collectors.delete(requestId);
      this.#answer(requestId, acks, isLast);
    });
  }

  #answer(requestId: string, answer: unknown, isLast: boolean): void {
    const [to, ticket] = requestId.split(":").map(Number);
    if (to === undefined || ticket === undefined) return;
    this.#bus.link.tell({ type: "hub:answer", to, ticket, isLast }, packPayload(answer));
  }
}
