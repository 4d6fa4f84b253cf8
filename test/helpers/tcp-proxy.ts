// A TCP proxy that can keep one kind of connection waiting: what it says is held back until the test lets go.

import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Holds back what connections say from now on that have said `mark` before. */
  hold(mark: string): void;
  /** Resolves when something has been held back that contains `text`. */
  untilHeld(text: string): Promise<void>;
  release(): void;
  close(): void;
}

export async function startProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const held: { target: Socket; chunk: Buffer }[] = [];
  let mark: string | undefined;
  let onHeld = (): void => {};

  const server = createServer((client) => {
    const target = createConnection(targetPort, "127.0.0.1");
    let said = "";
    client.on("data", (chunk) => {
      const isHeld = mark !== undefined && said.includes(mark);
      said += chunk.toString("latin1");
      if (!isHeld) {
        target.write(chunk);
        return;
      }
      held.push({ target, chunk });
      onHeld();
    });
    target.pipe(client);
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        target.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  const isHolding = (text: string): boolean => held.some(({ chunk }) => chunk.includes(text));
  return {
    port: (server.address() as AddressInfo).port,
    hold: (wanted) => {
      mark = wanted;
    },
    untilHeld: (text) =>
      new Promise((resolve) => {
        onHeld = () => {
          if (isHolding(text)) resolve();
        };
        onHeld();
      }),
    release: () => {
      mark = undefined;
      for (const { target, chunk } of held.splice(0)) target.write(chunk);
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
