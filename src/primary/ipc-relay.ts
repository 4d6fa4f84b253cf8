// The primary's half of `bus: "ipc"`: the relay of the official cluster adapter, and one thing it lacks.
// A worker that dies is noticed by its siblings only when its heartbeat has been missing for 10 s, and until then every
// fetchSockets() of theirs fails. Here its adapters are said goodbye for at once.

import cluster, { type Worker } from "node:cluster";
import { setupPrimary } from "@socket.io/cluster-adapter";
import { MessageType } from "socket.io-adapter";

/** What marks the adapter's messages on the IPC channel. */
const SOURCE = "_sio_adapter";

interface AdapterMessage {
  readonly source: typeof SOURCE;
  readonly uid: string;
  readonly nsp: string;
}

/** Starts the relay for all workers, present and future. */
export function startIpcRelay(): void {
  setupPrimary();

  /** By worker id: the adapters that have spoken, uid to namespace. */
  const adapters = new Map<number, Map<string, string>>();
  cluster.on("message", (worker: Worker, message: unknown) => {
    if (!isAdapterMessage(message)) return;
    const known = adapters.get(worker.id) ?? new Map<string, string>();
    adapters.set(worker.id, known.set(message.uid, message.nsp));
  });
  cluster.on("exit", (worker: Worker) => {
    for (const [uid, nsp] of adapters.get(worker.id) ?? []) {
      const goodbye = { source: SOURCE, type: MessageType.ADAPTER_CLOSE, uid, nsp };
      for (const sibling of Object.values(cluster.workers ?? {})) sibling?.send(goodbye, undefined, () => {});
    }
    adapters.delete(worker.id);
  });
}

function isAdapterMessage(message: unknown): message is AdapterMessage {
  if (typeof message !== "object" || message === null) return false;
  const { source, uid, nsp } = message as Partial<AdapterMessage>;
  return source === SOURCE && typeof uid === "string" && typeof nsp === "string";
}
