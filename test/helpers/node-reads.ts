// How Node's own HTTP parser, which the workers use, reads bytes that a connection begins with.

import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";

export interface NodeRequest {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  readonly headers: IncomingMessage["headers"];
}

/** The requests in the bytes, until Node has had enough of them: the first that it refuses ends the list. */
export function nodeReads(bytes: Buffer): Promise<readonly NodeRequest[]> {
  const requests: NodeRequest[] = [];
  return new Promise((resolve) => {
    const done = (): void => resolve(requests);
    const add = ({ method = "", url = "", httpVersion, headers }: IncomingMessage): void => {
      requests.push({ method, url, version: httpVersion, headers });
    };
    // A missing Host is answered 400 by the worker, whatever the router does.
    const server = createServer({ requireHostHeader: false }, (req, res) => {
      add(req);
      res.end();
    });
    server.maxHeadersCount = 0;
    for (const event of ["upgrade", "connect"] as const) {
      server.on(event, (req: IncomingMessage, socket: Duplex) => {
        add(req);
        socket.destroy();
      });
    }
    server.on("clientError", (_error, socket) => socket.destroy());
    const connection = new Duplex({ read: () => {}, write: (_chunk, _encoding, callback) => callback() });
    connection.on("error", done).on("close", done);
    server.emit("connection", connection);
    connection.push(bytes);
    connection.push(null);
  });
}
