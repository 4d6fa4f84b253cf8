// Why a connection is one too many, and what whoever opened it is told: over a limit of the box 503, over one of its
// address 429.

export type ConnectionRefusal = "box_full" | "no_descriptors" | "address_full" | "address_rate";

export interface RefusalAnswer {
  readonly status: 429 | 503;
  readonly phrase: string;
  readonly retryAfterSeconds: number;
  /** JSON. */
  readonly body: string;
}

const OF_BOX = { status: 503, phrase: "Service Unavailable" } as const;
const OF_ADDRESS = { status: 429, phrase: "Too Many Requests" } as const;

export const REFUSAL_ANSWERS: Readonly<Record<ConnectionRefusal, RefusalAnswer>> = {
  box_full: {
    ...OF_BOX,
    retryAfterSeconds: 5,
    body: bodyOf("The server has as many connections as it may. Try again later, or raise limits.maxConnections."),
  },
  no_descriptors: {
    ...OF_BOX,
    retryAfterSeconds: 5,
    body: bodyOf("The server is out of file descriptors. Try again later, or raise its limit of open files."),
  },
  address_full: {
    ...OF_ADDRESS,
    retryAfterSeconds: 5,
    body: bodyOf("Too many connections from this address. Close some, or raise limits.connectionsPerAddress."),
  },
  address_rate: {
    ...OF_ADDRESS,
    retryAfterSeconds: 2,
    body: bodyOf("Too many new connections from this address. Slow down, or raise limits.connectsPerSecondPerAddress."),
  },
};

/** The answers as bytes, ready to be sent: whoever is refused in masses costs one write each. */
export const REFUSAL_BYTES: ReadonlyMap<ConnectionRefusal, Buffer> = new Map(
  Object.entries(REFUSAL_ANSWERS).map(([reason, { status, phrase, retryAfterSeconds, body }]) => {
    const headers = ["Content-Type: application/json", `Retry-After: ${retryAfterSeconds}`];
    return [reason as ConnectionRefusal, httpAnswer(`${status} ${phrase}`, headers, body)];
  }),
);

/** A whole answer as bytes, for a connection that has no parser of ours: after it the connection is closed. */
export function httpAnswer(status: string, headers: readonly string[], body: string): Buffer {
  const lines = [`HTTP/1.1 ${status}`, "Connection: close", ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

function bodyOf(message: string): string {
  return `${JSON.stringify({ code: "ALLCORES_ERR_TOO_MANY_CONNECTIONS", message })}\n`;
}
