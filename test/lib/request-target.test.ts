import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pathOf, queryOf, sessionIdIn } from "../../src/lib/request-target.ts";

/** As Engine.IO reads it (`prepare` in its server.js). */
function engineSessionId(target: string): string | undefined {
  const { searchParams } = new URL(target, "https://socket.io");
  return Object.fromEntries(searchParams.entries()).sid || undefined;
}

describe("pathOf", () => {
  test.each([
    ["/chat?x=1", "/chat"],
    ["http://box/chat?x=1", "/chat"],
    ["http://box", ""],
    ["http://box?x", ""],
    ["/a?b=http://c/d", "/a"],
    ["/a#b?c", "/a"],
    ["*", "*"],
  ])("of %s is %j", (target, path) => {
    expect(pathOf(target)).toBe(path);
  });
});

describe("queryOf", () => {
  test("ends where a fragment begins", () => {
    expect(queryOf("/?room=a%20b#&room=c").getAll("room")).toEqual(["a b"]);
    expect([...queryOf("/#?room=a")]).toEqual([]);
  });
});

describe("sessionIdIn", () => {
  test.each([
    ["/socket.io/?EIO=4&sid=abc", "abc"],
    ["http://box/socket.io/?sid=abc", "abc"],
    // The router took the first, and Engine.IO takes the last: a session would have begun that nobody counted.
    ["/socket.io/?sid=abc&sid=", undefined],
    ["/socket.io/?sid=abc&sid=def", "def"],
    // The name was not found in its encoded form.
    ["/socket.io/?%73id=abc", "abc"],
    ["/socket.io/?s%69d=%61bc", "abc"],
    ["/socket.io/?x#&sid=abc", undefined],
    // Two question marks were taken for one.
    ["/socket.io/??sid=abc", undefined],
    ["/socket.io/?sid=", undefined],
    ["/socket.io/?xsid=abc", undefined],
    ["/sid=abc", undefined],
    ["*", undefined],
  ])("of %s is %j", (target, id) => {
    expect(sessionIdIn(target)).toBe(id);
  });

  test("is the one that Engine.IO sees, whatever the query", () => {
    const piece = fc.constantFrom(
      "sid",
      "=",
      "&",
      "?",
      "#",
      "%",
      "%73",
      "id",
      "s",
      "abc",
      "%3D",
      "+",
      "/",
      ";",
      "'",
      "%ff",
      "\\",
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = `/socket.io/?${pieces.join("")}`;

        expect(sessionIdIn(target)).toBe(engineSessionId(target));
      }),
      { numRuns: 2000 },
    );
  });
});
