// Makes a cluster adapter speak with other servers too: what its own cluster hears goes to them as well, and questions
// are put to both. What comes from them arrives through the client, with Socket.IO's `local` flag set.

import { NodeClusterAdapter } from "@socket.io/cluster-adapter";
import type { Namespace } from "socket.io";
import type { BroadcastOptions, ClusterAdapter, Room } from "socket.io-adapter";
import type { BusMessage } from "../bus/messages.ts";
import { FanoutClient, type ServerAnswers } from "../fanout/fanout-client.ts";
import type { WorkerLinkOptions } from "../fanout/worker-link.ts";
import { errorFields } from "../lib/logger.ts";

export type ClusterAdapterClass = new (nsp: Namespace) => ClusterAdapter;

export interface FanoutAdapterOptions extends WorkerLinkOptions {
  /** The adapter between the workers of this box. @default the official cluster adapter */
  readonly base?: ClusterAdapterClass;
}

export interface FanoutAdapter {
  /** Give this to Socket.IO as its `adapter`. */
  readonly adapter: (nsp: Namespace) => ClusterAdapter;
  /** Takes the bus messages of the primary. */
  readonly handle: (message: BusMessage, body: Buffer) => void;
}

export function createFanoutAdapter({ base = NodeClusterAdapter, bus, log }: FanoutAdapterOptions): FanoutAdapter {
  const client = new FanoutClient({ bus, log });
  const onError = (error: unknown): void => log.error(errorFields(error), "the callback of serverSideEmit failed");
  const Adapter = withFanout(base, client, onError);
  return {
    // Socket.IO calls it with `new`, which an arrow function does not take.
    adapter: function createAdapter(nsp) {
      return new Adapter(nsp);
    },
    handle: (message, body) => client.handle(message, body),
  };
}

function withFanout(
  Base: ClusterAdapterClass,
  client: FanoutClient,
  onError: (error: unknown) => void,
): ClusterAdapterClass {
  // TypeScript sees the abstract methods of ClusterAdapter in what is a whole adapter.
  abstract class FanoutAdapter extends (Base as abstract new (nsp: Namespace) => ClusterAdapter) {
    constructor(nsp: Namespace) {
      super(nsp);
      client.open(this);
    }

    override close(): Promise<void> | void {
      client.close(this);
      return super.close();
    }

    override broadcast(packet: object, opts: BroadcastOptions): Promise<void> {
      if (!isLocal(opts)) client.broadcast(this.nsp.name, packet, opts);
      return super.broadcast(packet, opts);
    }

    override broadcastWithAck(
      packet: object,
      opts: BroadcastOptions,
      onClientCount: (clientCount: number) => void,
      onAck: (...args: unknown[]) => void,
    ): void {
      if (isLocal(opts)) {
        super.broadcastWithAck(packet, opts, onClientCount, onAck);
        return;
      }
      const counts = joinCounts(onClientCount);
      client.broadcastWithAck(this.nsp.name, packet, opts, counts.onOthers, onAck);
      super.broadcastWithAck(packet, opts, counts.onOwn, onAck);
    }

    override addSockets(opts: BroadcastOptions, rooms: Room[]): Promise<void> {
      if (!isLocal(opts)) client.addSockets(this.nsp.name, opts, rooms);
      return super.addSockets(opts, rooms);
    }

    override delSockets(opts: BroadcastOptions, rooms: Room[]): Promise<void> {
      if (!isLocal(opts)) client.delSockets(this.nsp.name, opts, rooms);
      return super.delSockets(opts, rooms);
    }

    override disconnectSockets(opts: BroadcastOptions, close: boolean): Promise<void> {
      if (!isLocal(opts)) client.disconnectSockets(this.nsp.name, opts, close);
      return super.disconnectSockets(opts, close);
    }

    override async fetchSockets(opts: BroadcastOptions): Promise<unknown[]> {
      if (isLocal(opts)) return super.fetchSockets(opts);
      const sides = await Promise.all([super.fetchSockets(opts), client.fetchSockets(this.nsp.name, opts)]);
      return sides.flat();
    }

    override async serverSideEmit(packet: unknown[]): Promise<void> {
      const ack = packet.at(-1);
      if (typeof ack !== "function") {
        client.serverSideEmit(this.nsp.name, packet);
        return super.serverSideEmit(packet);
      }
      const data = packet.slice(0, -1);
      const ownSide = new Promise<ServerAnswers>((resolve) => {
        super.serverSideEmit([...data, (error: Error | null, values: unknown[]) => resolve({ error, values })]);
      });
      const [own, others] = await Promise.all([ownSide, client.serverSideEmitWithAck(this.nsp.name, data)]);
      try {
        ack(own.error ?? others.error, [...own.values, ...others.values]);
      } catch (error) {
        onError(error);
      }
    }
  }
  return FanoutAdapter as unknown as ClusterAdapterClass;
}

function isLocal({ flags }: BroadcastOptions): boolean {
  return flags?.local === true;
}

/**
 * Socket.IO waits for as many client counts as its own cluster has servers, so the clients of all other servers are
 * added to the count of this one, which is the first to come.
 */
function joinCounts(onClientCount: (clientCount: number) => void) {
  let own: number | undefined;
  let others: number | undefined;
  const report = (): void => {
    if (own !== undefined && others !== undefined) onClientCount(own + others);
  };
  return {
    onOwn: (count: number): void => {
      if (own !== undefined) {
        onClientCount(count);
        return;
      }
      own = count;
      report();
    },
    onOthers: (count: number): void => {
      others = count;
      report();
    },
  };
}
