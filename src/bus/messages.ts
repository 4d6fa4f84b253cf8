// Everything that the processes of a box say to each other, as one tagged union.
// `body` never appears here: it is the opaque bytes that travel beside a message.

import { AllcoresError, ERROR_CODES, type ErrorCode } from "../errors.ts";
import { ADMISSION_MESSAGE_TYPES, type AdmissionMessage } from "./admission-messages.ts";
import { CPU_MESSAGE_TYPES, type CpuMessage } from "./cpu-messages.ts";
import { FANOUT_MESSAGE_TYPES, type FanoutMessage } from "./fanout-messages.ts";
import { HUB_MESSAGE_TYPES, type HubDownMessage, type HubUpMessage } from "./hub-messages.ts";
import { PRESENCE_MESSAGE_TYPES, type PresenceMessage } from "./presence-messages.ts";

export type BusRole = "socket-worker" | "cpu";

/** The first message on every connection: who is calling, and the secret it was given at fork. */
export interface HelloMessage {
  readonly type: "hello";
  readonly build: string;
  readonly secret: string;
  readonly role: BusRole;
  readonly slot: number;
  readonly incarnation: number;
}

export interface WelcomeMessage {
  readonly type: "welcome";
}

/** The answer to a hello that is not let in; the connection closes after it. */
export interface RefusedMessage {
  readonly type: "refused";
  readonly error: WireError;
}

/** Socket worker or cpu process: it can take work from now on. */
export interface ReadyMessage {
  readonly type: "ready";
  /** Socket worker: the app has an `affinity` function, which the primary is to call. */
  readonly hasAffinity?: boolean;
}

/** Worker: it cannot start, and why. It exits after this. */
export interface StartFailedMessage {
  readonly type: "startFailed";
  readonly error: WireError;
}

/** Socket worker: an error that nobody caught ends it now. */
export interface CrashedMessage {
  readonly type: "crashed";
  readonly error: WireError;
}

/** Primary to worker: stop taking work, move the clients away, finish, exit. */
export interface DrainMessage {
  readonly type: "drain";
  readonly deadlineMs: number;
}

/** How often a socket worker that is well reports its load when nothing changes, in milliseconds. */
export const LOAD_INTERVAL_MS = 500;

/** Socket worker: what the router and `status` look at. Sent when it changed, and every `LOAD_INTERVAL_MS`. */
export interface LoadMessage {
  readonly type: "load";
  /** Engine.IO clients it has. */
  readonly clients: number;
  /** Connections of new clients it had received in all when it counted. */
  readonly received: number;
  /** Worst lag of the event loop in the last second or two, in milliseconds. */
  readonly loopLagMs: number;
  readonly memoryBytes: number;
}

/** Primary to any process: report your metrics now. */
export interface MetricsRequestMessage {
  readonly type: "metricsRequest";
  readonly round: number;
}

/** Any process: its metrics are in the body. Sent by itself every second or so, and when asked to. */
export interface MetricsReportMessage {
  readonly type: "metricsReport";
  /** The latest request that these numbers answer; 0 before the first. */
  readonly round: number;
}

export type BusMessage =
  | HelloMessage
  | WelcomeMessage
  | RefusedMessage
  | ReadyMessage
  | StartFailedMessage
  | CrashedMessage
  | DrainMessage
  | LoadMessage
  | MetricsRequestMessage
  | MetricsReportMessage
  | AdmissionMessage
  | CpuMessage
  | FanoutMessage
  | PresenceMessage
  | HubUpMessage
  | HubDownMessage;

export type BusMessageType = BusMessage["type"];

/** An error as it travels: the code survives, the stack does not. */
export interface WireError {
  readonly code: string;
  readonly message: string;
}

export function toWireError(error: unknown): WireError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return { code: typeof code === "string" ? code : "ALLCORES_ERR_APP", message: String(message ?? error) };
}

export function fromWireError({ code, message }: WireError, cause?: Error): AllcoresError {
  const known = ERROR_CODES.find((candidate): candidate is ErrorCode => candidate === code);
  return new AllcoresError(known ?? "ALLCORES_ERR_APP", message, { cause });
}

const TYPES: Record<BusMessageType, true> = {
  hello: true,
  welcome: true,
  refused: true,
  ready: true,
  startFailed: true,
  crashed: true,
  drain: true,
  load: true,
  metricsRequest: true,
  metricsReport: true,
  ...ADMISSION_MESSAGE_TYPES,
  ...CPU_MESSAGE_TYPES,
  ...FANOUT_MESSAGE_TYPES,
  ...PRESENCE_MESSAGE_TYPES,
  ...HUB_MESSAGE_TYPES,
};

/** The one guard: what is no message of this build is ignored by every receiver. */
export function isBusMessage(value: unknown): value is BusMessage {
  if (typeof value !== "object" || value === null) return false;
  const { type } = value as { type?: unknown };
  return typeof type === "string" && Object.hasOwn(TYPES, type);
}
