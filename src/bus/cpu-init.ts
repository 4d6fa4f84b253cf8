// The one message that goes to the cpu process over Node's IPC channel, since it names the way to the bus.

import type { Options } from "../options/options.ts";
import type { BusConnectionOptions } from "./connection.ts";

export interface CpuInit {
  readonly type: "allcores:cpu-init";
  readonly incarnation: number;
  readonly busPath: string;
  readonly busSecret: string;
  /** Where it has to listen for socket workers, and what they show. */
  readonly path: string;
  readonly secret: string;
  readonly options: Options;
}

export function isCpuInit(value: unknown): value is CpuInit {
  return typeof value === "object" && value !== null && (value as { type?: unknown }).type === "allcores:cpu-init";
}

/** Room for the message around a payload or a result. */
const MESSAGE_BYTES = 65_536;

/** Bounds of a connection between a socket worker and the cpu process, the same on both ends. */
export function taskBusLimits({ cpu }: Options): BusConnectionOptions {
  const maxFrameBytes = cpu.maxPayloadBytes + MESSAGE_BYTES;
  // A whole queue may be under way at once, for instance after a restart of the cpu process.
  return { maxFrameBytes, maxQueuedBytes: cpu.maxQueueBytes + cpu.maxQueue * MESSAGE_BYTES + maxFrameBytes };
}
