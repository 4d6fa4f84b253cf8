// The names of the Redis channels, as @socket.io/redis-adapter has them (its `key` is our `redis.prefix`).

export interface NamespaceChannels {
  /** Everything broadcast in the namespace; a broadcast to exactly one room has the room's name behind it. */
  readonly broadcast: string;
  /** Glob pattern for `broadcast` and all of its rooms. */
  readonly broadcastPattern: string;
  readonly request: string;
  /** Answers, for everybody. */
  readonly response: string;
  /** Answers to one server alone. */
  readonly responseTo: (serverId: string) => string;
}

export function channelsOf(prefix: string, nsp: string): NamespaceChannels {
  const broadcast = `${prefix}#${nsp}#`;
  const response = `${prefix}-response#${nsp}#`;
  return {
    broadcast,
    broadcastPattern: `${escapeGlob(broadcast)}*`,
    request: `${prefix}-request#${nsp}#`,
    response,
    responseTo: (serverId) => `${response}${serverId}#`,
  };
}

export function roomChannel({ broadcast }: NamespaceChannels, room: string | undefined): string {
  return room === undefined ? broadcast : `${broadcast}${room}#`;
}

/** The room that a broadcast channel names, if it names one. */
export function roomOf({ broadcast }: NamespaceChannels, channel: string): string | undefined {
  return channel.length > broadcast.length ? channel.slice(broadcast.length, -1) : undefined;
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, "\\$&");
}
