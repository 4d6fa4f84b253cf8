// Puts a guard on every connection of a guarded server: around the decoding of what its client sends.

import { ConnectionGuard } from "./connection-guard.ts";
import { guardOf } from "./server-guard.ts";
import {
  type ClientInternals,
  type NamespaceInternals,
  type Packet,
  type SocketInternals,
  type SocketIoPrototypes,
  wrapMethod,
} from "./socket-io.ts";

/** Where a client has its guard: this is looked at for every packet, and a WeakMap would cost more than the guard. */
const GUARD: unique symbol = Symbol("allcores guard");

interface GuardedClient extends ClientInternals {
  [GUARD]?: ConnectionGuard;
}

export function wrapClient(prototypes: SocketIoPrototypes): void {
  wrapLife(prototypes);
  wrapDecoding(prototypes);
  wrapJoining(prototypes);
}

function wrapLife({ client }: SocketIoPrototypes): void {
  wrapMethod<GuardedClient, [], void>(client, "setup", (setup) => {
    return function () {
      const guard = guardOf(this.server);
      if (guard !== undefined) this[GUARD] = new ConnectionGuard(this, guard);
      setup.call(this);
    };
  });

  wrapMethod<GuardedClient, unknown[], void>(client, "onclose", (onclose) => {
    return function (...args) {
      this[GUARD]?.end();
      onclose.apply(this, args);
    };
  });
}

function wrapDecoding({ client }: SocketIoPrototypes): void {
  wrapMethod<GuardedClient, [unknown], void>(client, "ondata", (ondata) => {
    return function (data) {
      const connection = this[GUARD];
      connection?.beforeDecode();
      ondata.call(this, data);
      connection?.afterDecode();
    };
  });

  wrapMethod<GuardedClient, [Packet], void>(client, "ondecoded", (ondecoded) => {
    return function (packet) {
      if (this[GUARD]?.admits(packet) !== false) ondecoded.call(this, packet);
    };
  });

  wrapMethod<GuardedClient, [unknown], void>(client, "onerror", (onerror) => {
    return function (error) {
      this[GUARD]?.explain(error);
      onerror.call(this, error);
    };
  });
}

function wrapJoining({ client, namespace }: SocketIoPrototypes): void {
  // Before the namespace is looked up: a stranger must not make the app create one.
  wrapMethod<GuardedClient, [string, object?], void>(client, "connect", (connect) => {
    return function (name, auth = {}) {
      const connection = this[GUARD];
      const { identity } = connection ?? {};
      if (connection === undefined || identity === undefined) return connect.call(this, name, auth);
      const decide = async (): Promise<void> => {
        const fault = await identity.findFault(auth);
        if (this.conn.readyState !== "open") return;
        if (fault === undefined) connect.call(this, name, auth);
        else connection.refuseConnect(name, "unauthorized", fault);
      };
      decide().catch((error: unknown) => this.onerror(error));
    };
  });

  wrapMethod<NamespaceInternals, [GuardedClient, object], Promise<SocketInternals>>(
    namespace,
    "_createSocket",
    (createSocket) =>
      function (client, auth) {
        const { identity } = client[GUARD] ?? {};
        const created = createSocket.call(this, client, auth);
        if (identity === undefined) return created;
        return created.then((socket) => {
          identity.welcome(socket, auth);
          return socket;
        });
      },
  );
}
