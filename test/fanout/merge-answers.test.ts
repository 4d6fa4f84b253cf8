import { describe, expect, test } from "vitest";
import { mergeAnswers } from "../../src/fanout/merge-answers.ts";
import type { ServerRequest } from "../../src/fanout/wire-format.ts";

const packet = { type: 2, data: ["event", 1], nsp: "/" };

describe("mergeAnswers", () => {
  const filter = { rooms: [], except: [], flags: {} };
  const asked = { uid: "u", requestId: "r" };
  const requests = {
    fetch: { ...asked, kind: "fetchSockets", filter },
    rooms: { ...asked, kind: "allRooms" },
    acks: { ...asked, kind: "broadcast", packet, filter },
    servers: { ...asked, kind: "serverSideEmit", data: ["e"] },
    join: { ...asked, kind: "join", filter, rooms: ["a"] },
  } satisfies Record<string, ServerRequest>;

  test.each([
    [
      "the sockets of all workers in one list",
      requests.fetch,
      ['{"id":1},{"id":2}', "", '{"id":3}'],
      {
        requestId: "r",
        sockets: [{ id: 1 }, { id: 2 }, { id: 3 }],
      },
    ],
    ["no sockets at all", requests.fetch, ["", ""], { requestId: "r", sockets: [] }],
    ["the rooms of all workers", requests.rooms, ['"a","b"', '"a"'], { requestId: "r", rooms: ["a", "b", "a"] }],
    ["the sum of the clients", requests.acks, ["2", "0", "3"], { requestId: "r", type: 8, clientCount: 5 }],
    [
      "the first answer, and all of them for other boxes",
      requests.servers,
      ["", "null", '"b"'],
      {
        requestId: "r",
        type: 6,
        data: null,
        answers: [null, "b"],
      },
    ],
    ["that the one socket is here", requests.join, ["", "true"], { requestId: "r" }],
  ])("gives %s", (_name, request, parts, expected) => {
    const response = mergeAnswers(request, parts);

    expect(JSON.parse(String(response))).toEqual(expected);
  });

  test.each([requests.servers, requests.join])(
    "gives nothing when no worker has anything to say to $kind",
    (request) => {
      expect(mergeAnswers(request, ["", ""])).toBeUndefined();
    },
  );
});
