import { describe, expect, test } from "vitest";
import { Session } from "../../src/bench/load/session.ts";

function note(session: Session, event: string): void {
  const buffer = Buffer.from(`xx${event}yy`);
  session.noteEvent(buffer, 2, buffer.length - 2);
}

describe("Session", () => {
  test("sends a plain CONNECT at first, with the app's auth if there is one", () => {
    expect(new Session().connectPacket(undefined)).toBe("40");
    expect(new Session().connectPacket({ token: "t" })).toBe('40{"token":"t"}');
  });

  test("shows session id and last offset when it comes back, beside the auth", () => {
    const session = new Session();
    session.accept('{"sid":"a","pid":"p1"}');
    note(session, '42["message","payload","offset-1"]');
    note(session, `42["message","payload","${"o".repeat(200)}"]`);
    note(session, '42["message","payload","offset-3"]');

    expect(session.connectPacket({ token: "t" })).toBe('40{"pid":"p1","offset":"offset-3","token":"t"}');
  });

  test("begins anew without an offset, as the stock client does", () => {
    const session = new Session();
    session.accept('{"sid":"a","pid":"p1"}');

    expect(session.connectPacket(undefined)).toBe("40");
  });

  test("takes no offset from events that do not end with a string, nor from servers without recovery", () => {
    const [recovering, plain] = [new Session(), new Session()];
    recovering.accept('{"sid":"a","pid":"p1"}');
    plain.accept('{"sid":"a"}');

    note(recovering, '42["message",{"a":"b"}]');
    note(plain, '42["message","payload"]');

    expect(recovering.connectPacket(undefined)).toBe("40");
    expect(plain.connectPacket(undefined)).toBe("40");
  });

  test("is recovered when the server answers with the same session id", () => {
    const session = new Session();

    const answers = ["p1", "p1", "p2", "p2"].map((pid) => session.accept(JSON.stringify({ sid: "s", pid })));

    expect(answers).toEqual([false, true, false, true]);
  });
});
