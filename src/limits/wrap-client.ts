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

const connections = new WeakMap<ClientInternals, ConnectionGuard>();

export function wrapClient(prototypes: SocketIoPrototypes): void {
  wrapLife(prototypes);
  wrapDecoding(prototypes);
  wrapJoining(prototypes);
}

function wrapLife({ client }: SocketIoPrototypes): void {
  wrapMethod<ClientInternals, [], void>(client, "setup", (setup) => {
    return function () {
      const guard = guardOf(this.server);
      if (guard !== undefined) connections.set(this, new ConnectionGuard(this, guard));
      setup.call(this);
    };
  });

  wrapMethod<ClientInternals, unknown[], void>(client, "onclose", (onclose) => {
    return function (...args) {
      connections.get(this)?.end();
      onclose.apply(this, args);
    };
  });
}

function wrapDecoding({ client }: SocketIoPrototypes): void {
  wrapMethod<ClientInternals, [unknown], void>(client, "ondata", (ondata) => {
    return function (data) {
      const connection = connections.get(this);
      connection?.beforeDecode();
      ondata.call(this, data);
      connection?.afterDecode();
    };
  });

  wrapMethod<ClientInternals, [Packet], void>(client, "ondecoded", (ondecoded) => {
    return function (packet) {
      if (connections.get(this)?.admits(packet) !== false) ondecoded.call(this, packet);
    };
  });

  wrapMethod<ClientInternals, [unknown], void>(client, "onerror", (onerror) => {
    return function (error) {
      connections.get(this)?.explain(error);
      onerror.call(this, error);
    };
  });
}

function wrapJoining({ client, namespace }: SocketIoPrototypes): void {
  // Before the namespace is looked up: a stranger must not make the app create one.
  wrapMethod<ClientInternals, [string, object?], void>(client, "connect", (connect) => {
    return function (name, auth = {}) {
      const connection = connections.get(this);
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

  wrapMethod<NamespaceInternals, [ClientInternals, object], Promise<SocketInternals>>(
    namespace,
    "_createSocket",
    (createSocket) =>
      function (client, auth) {
        const { identity } = connections.get(client) ?? {};
        const created = createSocket.call(this, client, auth);
        if (identity === undefined) return created;
        return created.then((socket) => {
          identity.welcome(socket, auth);
          return socket;
        });
      },
  );
}
