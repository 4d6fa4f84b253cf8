import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { sessionIdGenerator, sessionIdPrefix } from "../../src/lib/session-id.ts";
import { RequestsElsewhere } from "../../src/socket-worker/requests-elsewhere.ts";

const HERE = { slot: 1, incarnation: 2 };
const OTHER = { slot: 0, incarnation: 7 };

/** Asks about requests that come one behind the other on a connection. */
function ownersOf(...requests: [method: string, url: string][]): (string | undefined)[] {
  const elsewhere = new RequestsElsewhere("/socket.io", HERE);
  const socket = new Duplex();
  return requests.map(([method, url]) => elsewhere.ownerOf({ socket, method, url } as unknown as IncomingMessage));
}

const url = (id: string) => `/socket.io/?EIO=4&transport=polling&sid=${id}`;
const ofOther = url(sessionIdGenerator(OTHER)());

describe("RequestsElsewhere", () => {
  test("leaves the first request of a connection here, whatever it is", () => {
    expect(ownersOf(["GET", ofOther])).toEqual([undefined]);
    expect(ownersOf(["GET", "/socket.io/?EIO=4"])).toEqual([undefined]);
  });

  test("names the owner of those that follow", () => {
    const owners = ownersOf(["GET", "/"], ["POST", ofOther], ["GET", ofOther], ["GET", "/socket.io/?EIO=4"]);

    expect(owners.slice(1)).toEqual([sessionIdPrefix(OTHER), sessionIdPrefix(OTHER), "anyone"]);
  });

  test.each([
    ["its own session", "GET", url(sessionIdGenerator(HERE)())],
    ["a session id that is none of the box's", "GET", url("somebody-else's")],
    ["what begins no session", "OPTIONS", "/socket.io/?EIO=4"],
    ["what is the app's", "GET", `/upload?sid=${sessionIdGenerator(OTHER)()}`],
  ])("keeps %s", (_what, method, target) => {
    expect(ownersOf(["GET", "/"], [method, target])).toEqual([undefined, undefined]);
  });
});
