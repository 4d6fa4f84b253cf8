import { describe, expect, test } from "vitest";
import { findDisagreement } from "../../src/bench/ledger/find-disagreement.ts";
import type { Member } from "../../src/bench/ledger/member.ts";
import { keyOf } from "../../src/bench/ledger/message-key.ts";
import { RoomLedger } from "../../src/bench/ledger/room-ledger.ts";
import { indexSenders } from "../../src/bench/ledger/sender-index.ts";

const NOTHING_UNCERTAIN = new Set<number>();
const nobodyAway = () => false;

/** Clients 0 and 1 send to room 0, which both are in; client 2 sends to room 1. */
function twoMembers() {
  const ledger = new RoomLedger(indexSenders(Int32Array.of(0, 0, 1)));
  const members = [ledger.join(0, 0, "start"), ledger.join(1, 0, "start")] as const;
  const deliver = (member: Member, sender: number, ...numbers: number[]): void => {
    for (const number of numbers) ledger.deliver(member, { sender, room: 0, number, dueUs: 0 });
  };
  return { ledger, members, deliver };
}

const CLEAN = { lost: 0, missed: 0, duplicates: 0, senderOrder: 0, stray: 0 };

describe("RoomLedger", () => {
  test("has nothing to say when everybody got everything in order", () => {
    const { ledger, members, deliver } = twoMembers();

    for (const member of members) {
      deliver(member, 0, 0, 1);
      deliver(member, 1, 0);
    }

    const sent = Int32Array.of(2, 1, 0);
    expect(ledger.outstanding(sent, NOTHING_UNCERTAIN)).toBe(0);
    expect(ledger.report(sent, NOTHING_UNCERTAIN, nobodyAway)).toMatchObject({ ...CLEAN, delivered: 6, examples: [] });
  });

  test("counts a message lost in the middle and one lost at the end", () => {
    const { ledger, members, deliver } = twoMembers();
    deliver(members[0], 0, 0, 1, 2, 3);
    deliver(members[1], 0, 0, 2);

    const sent = Int32Array.of(4, 0, 0);

    expect(ledger.outstanding(sent, NOTHING_UNCERTAIN)).toBe(2);
    const report = ledger.report(sent, NOTHING_UNCERTAIN, nobodyAway);
    expect(report).toMatchObject({ ...CLEAN, delivered: 6, lost: 2 });
    expect(report.examples).toContain("client 1, room 0: message 1 of client 0 never arrived");
  });

  test("counts a repeated message once, and not as delivered", () => {
    const { ledger, members, deliver } = twoMembers();

    deliver(members[0], 0, 0, 1, 0);
    deliver(members[1], 0, 0, 1);

    const report = ledger.report(Int32Array.of(2, 0, 0), NOTHING_UNCERTAIN, nobodyAway);
    expect(report).toMatchObject({ ...CLEAN, delivered: 4, duplicates: 1 });
  });

  test("tells messages of one sender that overtook each other from lost ones", () => {
    const { ledger, members, deliver } = twoMembers();

    deliver(members[0], 0, 0, 2, 1, 3);
    deliver(members[1], 0, 0, 1, 2, 3);

    const report = ledger.report(Int32Array.of(4, 0, 0), NOTHING_UNCERTAIN, nobodyAway);
    expect(report).toMatchObject({ ...CLEAN, delivered: 8, senderOrder: 1 });
  });

  test("sees that two members saw two senders in another order", () => {
    const { ledger, members, deliver } = twoMembers();

    deliver(members[0], 0, 0);
    deliver(members[0], 1, 0);
    deliver(members[1], 1, 0);
    deliver(members[1], 0, 0);

    const report = ledger.report(Int32Array.of(1, 1, 0), NOTHING_UNCERTAIN, nobodyAway);
    expect(report).toMatchObject(CLEAN);
    expect(report.orders[0]?.branches).toBeGreaterThan(0);
    expect(findDisagreement(ledger.sequences(0))).toBeDefined();
  });

  test("counts what arrives at somebody outside the room", () => {
    const { ledger, members } = twoMembers();

    ledger.deliver(members[0], { sender: 2, room: 1, number: 0, dueUs: 0 });

    expect(ledger.report(Int32Array.of(0, 0, 1), NOTHING_UNCERTAIN, nobodyAway)).toMatchObject({ ...CLEAN, stray: 1 });
  });

  test("calls a gap missed, not lost, after the session was not recovered, once for each sender", () => {
    const { ledger, members, deliver } = twoMembers();
    deliver(members[0], 0, 0);
    deliver(members[1], 0, 0, 1, 2, 3, 4, 5);

    ledger.loseSession(members[0]);
    deliver(members[0], 0, 3, 5);

    const report = ledger.report(Int32Array.of(6, 0, 0), NOTHING_UNCERTAIN, nobodyAway);
    expect(report).toMatchObject({ ...CLEAN, missed: 2, lost: 1 });
  });

  test("calls the rest missed for a member that never came back", () => {
    const { ledger, members, deliver } = twoMembers();
    deliver(members[0], 0, 0, 1, 2);
    deliver(members[1], 0, 0);

    const report = ledger.report(Int32Array.of(3, 0, 0), NOTHING_UNCERTAIN, (client) => client === 1);

    expect(report).toMatchObject({ ...CLEAN, missed: 2 });
  });

  test("wants of a late member its own messages from the first, of others from whichever came first", () => {
    const ledger = new RoomLedger(indexSenders(Int32Array.of(0, 0)));
    const late = ledger.join(1, 0, "late");

    for (const number of [7, 8]) ledger.deliver(late, { sender: 0, room: 0, number, dueUs: 0 });

    expect(ledger.outstanding(Int32Array.of(10, 1), NOTHING_UNCERTAIN)).toBe(2);
    expect(ledger.report(Int32Array.of(9, 1), NOTHING_UNCERTAIN, nobodyAway)).toMatchObject({ ...CLEAN, lost: 1 });
  });

  test("wants nothing more of a member that left, but its own messages from before", () => {
    const { ledger, members, deliver } = twoMembers();
    deliver(members[0], 0, 0, 1);
    deliver(members[0], 1, 0, 1);
    deliver(members[1], 1, 0);

    const hadOwn = [ledger.hasOwn(members[0], 2), ledger.hasOwn(members[1], 2)];
    ledger.leave(members[1], 2);

    expect(hadOwn).toEqual([true, false]);
    const report = ledger.report(Int32Array.of(2, 2, 0), NOTHING_UNCERTAIN, nobodyAway);
    expect(report).toMatchObject({ ...CLEAN, lost: 1 });
  });

  test("wants of no member its own messages where senders do not hear them", () => {
    const ledger = new RoomLedger(indexSenders(Int32Array.of(0, 0)), { sendersHear: false });
    const [a, b] = [ledger.join(0, 0, "start"), ledger.join(1, 0, "start")];
    const sent = Int32Array.of(2, 1);

    ledger.deliver(a, { sender: 1, room: 0, number: 0, dueUs: 0 });
    ledger.deliver(b, { sender: 0, room: 0, number: 0, dueUs: 0 });

    expect(ledger.hasOwn(a, 2)).toBe(true);
    expect(ledger.outstanding(sent, NOTHING_UNCERTAIN)).toBe(1);
    expect(ledger.report(sent, NOTHING_UNCERTAIN, nobodyAway)).toMatchObject({ ...CLEAN, delivered: 2, lost: 1 });
    expect(findDisagreement(ledger.sequences(0))).toBeUndefined();
  });

  test("reports who got an uncertain message and who did not, and calls it neither lost nor outstanding", () => {
    const { ledger, members, deliver } = twoMembers();
    deliver(members[0], 0, 0, 1);
    deliver(members[1], 0, 0);
    const uncertain = new Set([keyOf(0, 1), keyOf(0, 2)]);
    const sent = Int32Array.of(3, 0, 0);

    const report = ledger.report(sent, uncertain, nobodyAway);

    expect(ledger.outstanding(sent, uncertain)).toBe(0);
    expect(report).toMatchObject(CLEAN);
    expect(report.uncertainSeen).toEqual([keyOf(0, 1)]);
    expect([...report.uncertainMissing].sort()).toEqual([keyOf(0, 1), keyOf(0, 2), keyOf(0, 2)]);
  });

  test("says so when there were more messages than the order check may hold", () => {
    const ledger = new RoomLedger(indexSenders(Int32Array.of(0)), { maxOrderEntries: 1 });
    const member = ledger.join(0, 0, "start");

    for (const number of [0, 1]) ledger.deliver(member, { sender: 0, room: 0, number, dueUs: 0 });

    expect(ledger.report(Int32Array.of(2), NOTHING_UNCERTAIN, nobodyAway).isOrderComplete).toBe(false);
  });
});
