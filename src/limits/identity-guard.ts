// Who the client of one connection is, in each namespace it joins: asked before anything is done for it, and again when
// it comes back with a recovered state. A socket does not outlive its token.

import { atTime } from "../auth/at-time.ts";
import { type Authenticate, type AuthFailure, type Identity, UnauthorizedError } from "../auth/authenticate.ts";
import type { Refusal } from "./refusal.ts";
import { sendError } from "./refusal.ts";
import type { ClientInternals, SocketInternals } from "./socket-io.ts";

/** Who sent a CONNECT, found again by its payload when the socket has been made. */
const identities = new WeakMap<object, Identity>();

export class IdentityGuard {
  readonly #client: ClientInternals;
  readonly #authenticate: Authenticate;
  /** Kept: an app may drop the first request of a connection to save memory, and WebTransport has none. */
  readonly #authorization: string | undefined;
  readonly #expiries = new Set<() => void>();
  readonly #onExpired: (socket: SocketInternals) => void;

  constructor(client: ClientInternals, authenticate: Authenticate, onExpired: (socket: SocketInternals) => void) {
    this.#client = client;
    this.#authenticate = authenticate;
    this.#authorization = client.conn.request?.headers.authorization;
    this.#onExpired = onExpired;
  }

  /** Why a CONNECT is refused, or `undefined`. */
  async findFault(auth: object): Promise<Refusal | undefined> {
    try {
      identities.set(auth, await this.#authenticate({ auth, authorization: this.#authorization }));
      return undefined;
    } catch (error) {
      if (error instanceof UnauthorizedError) return unauthorized(error.failure, error.message);
      throw error;
    }
  }

  /** A socket was made for a CONNECT: hands it its claims, for as long as the token is good. */
  welcome(socket: SocketInternals, auth: object): void {
    const identity = identities.get(auth);
    if (identity === undefined) return;
    socket.data.claims = identity.claims;
    if (identity.expiresAtMs === undefined) return;
    const cancel = atTime(identity.expiresAtMs, () => {
      this.#expiries.delete(cancel);
      this.#expire(socket);
    });
    this.#expiries.add(cancel);
  }

  /** The connection is closed. */
  end(): void {
    for (const cancel of this.#expiries) cancel();
    this.#expiries.clear();
  }

  #expire(socket: SocketInternals): void {
    const isJoining = socket.nsp._preConnectSockets.has(socket.id);
    if (!socket.connected && !isJoining) return;
    this.#onExpired(socket);
    sendError(socket, unauthorized("expired", "The token has expired. Get a new one and connect again."));
    // A socket that the app's middlewares still have cannot be disconnected, and when it can it would be too late.
    if (isJoining) this.#client.close();
    else socket.disconnect();
  }
}

function unauthorized(reason: AuthFailure, message: string): Refusal {
  return { code: "ALLCORES_ERR_UNAUTHORIZED", message, reason };
}
