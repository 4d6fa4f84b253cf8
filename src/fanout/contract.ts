// What the primary's half of the fan-out asks of the thing that carries messages to other servers.
// Today there is one driver, redis-pubsub.ts. A driver moves opaque bytes: what is in them is wire-format.ts's business.

/** How the link to the other servers is. */
export interface FanoutStatus {
  readonly state: "connected" | "connecting" | "down";
  /** One sentence for people: since when, and what the last error was. Never has a password in it. */
  readonly detail: string;
}

/** Numbers since the start. All but `queuedBytes` only go up. */
export interface FanoutCounters {
  /** Messages that the carrier has confirmed. */
  readonly published: number;
  /** Messages of other servers that arrived for a namespace of this box. */
  readonly received: number;
  /** Messages that were lost here, in either direction: carrier away, or a queue full. */
  readonly dropped: number;
  /** Bytes that the carrier has not confirmed yet, with an allowance for what a queued command weighs. */
  readonly queuedBytes: number;
  /** How often the link was lost and came back. */
  readonly reconnects: number;
}

export interface FanoutDriverEvents {
  /** A broadcast of another server. `room` is there when it is meant for exactly one. */
  readonly onBroadcast: (nsp: string, room: string | undefined, body: Buffer) => void;
  /** Another server wants something of every server that has the namespace. */
  readonly onRequest: (nsp: string, body: Buffer) => void;
  /** An answer to a request; it may be a request of somebody else. */
  readonly onResponse: (nsp: string, body: Buffer) => void;
  /** The state changed; `error` is why, when it is for the worse. */
  readonly onChange: (status: FanoutStatus, error: Error | undefined) => void;
}

export interface FanoutDriver {
  /** Begins to connect. Never waits for the carrier and never fails: a box without it serves its own clients. */
  start(): void;
  /** Resolves when what was published so far is with the carrier, or lost. Never rejects. */
  flush(): Promise<void>;
  close(): void;
  /** Takes part in a namespace, or no more. */
  open(nsp: string): void;
  leave(nsp: string): void;
  /** Sends to all other servers of the namespace. What cannot go out is dropped and counted. */
  broadcast(nsp: string, room: string | undefined, body: Uint8Array): void;
  /** The same for a request that nobody answers. */
  tell(nsp: string, body: Uint8Array): void;
  /**
   * Puts a request to all other servers of the namespace and resolves to how many they are: 0 while the carrier is away.
   * Rejects with `ALLCORES_ERR_FANOUT_OVERFLOW` when too much is waiting already.
   */
  ask(nsp: string, body: Uint8Array): Promise<number>;
  /** Answers a request: to the server `to`, or to all when it said no name. What cannot go out is dropped and counted. */
  respond(nsp: string, to: string | undefined, body: Buffer): void;
  status(): FanoutStatus;
  counters(): FanoutCounters;
}
