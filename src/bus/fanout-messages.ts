// What the socket workers and the primary say to each other for the fan-out to other servers.
// The bodies are in the format of src/fanout/wire-format.ts; the primary passes them on and looks into few.

import type { WireError } from "./messages.ts";

/** Socket worker: it has the namespace now (or no more), so what other servers say in it is wanted here. */
export interface FanoutOpenMessage {
  readonly type: "fanoutOpen" | "fanoutClose";
  readonly nsp: string;
}

/** Socket worker: broadcast the body on all other servers. */
export interface FanoutPublishMessage {
  readonly type: "fanoutPublish";
  readonly nsp: string;
  /** The room, when it is exactly one. */
  readonly room?: string;
}

/** Socket worker: the body is a request that no answer is expected to. */
export interface FanoutTellMessage {
  readonly type: "fanoutTell";
  readonly nsp: string;
}

/** Socket worker: the body is a request to be answered by every other server. One `fanoutAnswers` follows. */
export interface FanoutAskMessage {
  readonly type: "fanoutAsk";
  readonly nsp: string;
  readonly requestId: string;
  readonly deadlineMs: number;
  /** Acks of single clients are expected too, as `fanoutClientAck`, until the deadline. */
  readonly forAcks: boolean;
}

/** Socket worker: its part of the answer to a relayed request, in the form that merge-answers.ts takes. */
export interface FanoutAnswerMessage {
  readonly type: "fanoutAnswer";
  readonly relayId: number;
}

/** Socket worker: the body is a whole response to the server `to`. */
export interface FanoutRespondMessage {
  readonly type: "fanoutRespond";
  readonly nsp: string;
  readonly to?: string;
}

/** Socket worker: how many messages it had to drop since it last said so, because the primary did not keep up. */
export interface FanoutLostMessage {
  readonly type: "fanoutLost";
  readonly count: number;
}

/** Primary: the body is a broadcast of another server. */
export interface FanoutBroadcastMessage {
  readonly type: "fanoutBroadcast";
  readonly nsp: string;
  readonly room?: string;
}

/** Primary: the body is a request of another server. With a `relayId`, exactly one `fanoutAnswer` is expected. */
export interface FanoutRequestMessage {
  readonly type: "fanoutRequest";
  readonly nsp: string;
  readonly relayId?: number;
}

/** Primary: the body is a JSON array of the responses of the other servers, of which `missing` did not answer. */
export interface FanoutAnswersMessage {
  readonly type: "fanoutAnswers";
  readonly requestId: string;
  readonly missing: number;
  /** The question could not be put. */
  readonly error?: WireError;
}

/** Primary: the body is the response that carries one client's ack. */
export interface FanoutClientAckMessage {
  readonly type: "fanoutClientAck";
  readonly requestId: string;
}

export type FanoutMessage =
  | FanoutOpenMessage
  | FanoutPublishMessage
  | FanoutTellMessage
  | FanoutAskMessage
  | FanoutAnswerMessage
  | FanoutRespondMessage
  | FanoutLostMessage
  | FanoutBroadcastMessage
  | FanoutRequestMessage
  | FanoutAnswersMessage
  | FanoutClientAckMessage;

export const FANOUT_MESSAGE_TYPES: Record<FanoutMessage["type"], true> = {
  fanoutOpen: true,
  fanoutClose: true,
  fanoutPublish: true,
  fanoutTell: true,
  fanoutAsk: true,
  fanoutAnswer: true,
  fanoutRespond: true,
  fanoutLost: true,
  fanoutBroadcast: true,
  fanoutRequest: true,
  fanoutAnswers: true,
  fanoutClientAck: true,
};
