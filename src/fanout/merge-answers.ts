// To the other servers a box is one server, so what its workers answer becomes one response.
// The parts are pieces of JSON that are put together without being parsed.

import { REQUEST_TYPE, type ServerRequest } from "./wire-format.ts";

/** A worker that has nothing to say to a request says this. */
export const NO_ANSWER = "";

/**
 * The response made of the workers' parts, or `undefined` when there is none to give. A part is, by kind of request:
 *
 * - `sockets`, `fetchSockets`, `allRooms`: the items, with commas between them
 * - `serverSideEmit`: the value that the app answered
 * - `broadcast`: the number of clients that got the packet
 * - `join`, `leave`, `disconnect`: anything but `NO_ANSWER` says that the socket is here
 */
export function mergeAnswers({ kind, requestId }: ServerRequest, parts: readonly string[]): string | undefined {
  const given = parts.filter((part) => part !== NO_ANSWER);
  const head = `{"requestId":${JSON.stringify(requestId)}`;
  switch (kind) {
    case "sockets":
    case "fetchSockets":
      return `${head},"sockets":[${given.join()}]}`;
    case "allRooms":
      return `${head},"rooms":[${given.join()}]}`;
    case "broadcast": {
      const clientCount = given.reduce((sum, part) => sum + Number(part), 0);
      return `${head},"type":${REQUEST_TYPE.clientCount},"clientCount":${clientCount}}`;
    }
    case "serverSideEmit":
      if (given.length === 0) return undefined;
      // Servers of other kinds read `data`; another box reads `answers` and so gets those of all workers.
      return `${head},"type":${REQUEST_TYPE.serverSideEmit},"data":${given[0]},"answers":[${given.join()}]}`;
    default:
      return given.length === 0 ? undefined : `${head}}`;
  }
}
