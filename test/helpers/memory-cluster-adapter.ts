// A cluster adapter for Socket.IO servers that share one test process: what the official one does over Node's IPC,
// over an event emitter.

import { EventEmitter } from "node:events";
import type { Namespace } from "socket.io";
import { ClusterAdapterWithHeartbeat, type ClusterMessage, type ClusterResponse } from "socket.io-adapter";
import type { ClusterAdapterClass } from "../../src/socket-worker/fanout-adapter.ts";

/** Servers whose adapters come from one call are one cluster. */
export function createMemoryCluster(): ClusterAdapterClass {
  const channel = new EventEmitter<{ message: [ClusterMessage]; response: [string, ClusterResponse] }>();
  channel.setMaxListeners(0);

  return class MemoryClusterAdapter extends ClusterAdapterWithHeartbeat {
    constructor(nsp: Namespace) {
      super(nsp, {});
      channel.on("message", this.#onMessage);
      channel.on("response", this.#onResponse);
      this.init();
    }

    override close(): void {
      super.close();
      channel.off("message", this.#onMessage);
      channel.off("response", this.#onResponse);
    }

    readonly #onMessage = (message: ClusterMessage): void => {
      if (message.nsp === this.nsp.name) this.onMessage(structuredClone(message));
    };
    readonly #onResponse = (uid: string, response: ClusterResponse): void => {
      if (uid === this.uid) this.onResponse(response);
    };

    protected override doPublish(message: ClusterMessage): Promise<string> {
      setImmediate(() => channel.emit("message", message));
      return Promise.resolve("");
    }

    protected override doPublishResponse(requesterUid: string, response: ClusterResponse): Promise<void> {
      setImmediate(() => channel.emit("response", requesterUid, response));
      return Promise.resolve();
    }
  };
}
