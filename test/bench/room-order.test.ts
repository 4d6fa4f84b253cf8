import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findDisagreement } from "../../src/bench/ledger/find-disagreement.ts";
import { RoomOrder } from "../../src/bench/ledger/room-order.ts";

function sequencesOf(lists: readonly number[][]): Float64Array[] {
  return lists.map((list) => Float64Array.from(list));
}

describe("findDisagreement", () => {
  test.each([
    [
      "the same order",
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    ],
    [
      "parts of one order",
      [
        [1, 3],
        [2, 3],
        [1, 2],
      ],
    ],
    [
      "nothing in common",
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ])("finds nothing in %s", (_what, lists) => {
    expect(findDisagreement(sequencesOf(lists))).toBeUndefined();
  });

  test("names the two messages that members saw the other way round", () => {
    const disagreement = findDisagreement(
      sequencesOf([
        [1, 2, 3, 4],
        [1, 3, 2, 4],
      ]),
    );

    expect([disagreement?.first, disagreement?.second].sort()).toEqual([2, 3]);
  });

  test("sees a circle that no two members close alone", () => {
    expect(
      findDisagreement(
        sequencesOf([
          [1, 2],
          [2, 3],
          [3, 1],
        ]),
      ),
    ).toBeDefined();
  });

  test("accepts any members that each saw a part of one order", () => {
    const parts = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 50 })), { maxLength: 6 });

    fc.assert(
      fc.property(parts, (lists) => {
        const ordered = lists.map((list) => [...list].sort((a, b) => a - b));

        expect(findDisagreement(sequencesOf(ordered))).toBeUndefined();
      }),
    );
  });
});

describe("RoomOrder", () => {
  const budget = () => ({ left: 1000 });

  test("keeps one list and no branch while all members agree, however far apart they are", () => {
    const order = new RoomOrder(budget());
    const [fast, slow] = [order.enterAtStart(), order.enterAtStart()];

    for (const key of [1, 2, 3]) order.see(fast, key);
    for (const key of [1, 2, 3, 4]) order.see(slow, key);
    order.see(fast, 4);

    expect(order.digest()).toMatchObject({ length: 4, branches: 0 });
  });

  test("gives equal digests for equal orders, other ones for others", () => {
    const digests = [
      [1, 2 ** 40, 3],
      [1, 2 ** 40, 3],
      [1, 3, 2 ** 40],
    ].map((keys) => {
      const order = new RoomOrder(budget());
      const cursor = order.enterAtStart();
      for (const key of keys) order.see(cursor, key);
      return order.digest();
    });

    expect(digests[0]).toEqual(digests[1]);
    expect(digests[0]).not.toEqual(digests[2]);
  });

  test("keeps a swap for the later check", () => {
    const order = new RoomOrder(budget());
    const [a, b] = [order.enterAtStart(), order.enterAtStart()];

    for (const key of [1, 2, 3, 4]) order.see(a, key);
    for (const key of [1, 3, 2, 4]) order.see(b, key);

    expect(findDisagreement(order.sequences())).toBeDefined();
  });

  test("does not blame a member that comes late and hears a message before the others do", () => {
    const order = new RoomOrder(budget());
    const early = order.enterAtStart();
    order.see(early, 1);

    const late = order.enterLate();
    for (const key of [3, 4]) order.see(late, key);
    for (const key of [2, 3, 4, 5]) order.see(early, key);
    order.see(late, 5);

    expect(order.digest().length).toBe(5);
    expect(findDisagreement(order.sequences())).toBeUndefined();
  });

  // What detached members see is a part of the true order; with one swap in it, it no longer is.
  test("accepts any mixture of members with gaps, and catches any swap between two that saw both", () => {
    const truth = Array.from({ length: 12 }, (_, key) => key);
    const members = fc.array(fc.subarray(truth, { minLength: 2 }), { minLength: 1, maxLength: 5 });

    fc.assert(
      fc.property(members, fc.nat(100), (lists, seed) => {
        const order = new RoomOrder(budget());
        const swapped = lists[seed % lists.length] as number[];
        const at = seed % (swapped.length - 1);
        for (const list of [truth, ...lists]) feed(order, list, truth);
        expect(findDisagreement(order.sequences())).toBeUndefined();

        const wrong = swapped.toSpliced(at, 2, swapped[at + 1] as number, swapped[at] as number);
        feed(order, wrong, truth);
        expect(findDisagreement(order.sequences())).toBeDefined();
      }),
    );
  });

  test("stays within its budget", () => {
    const small = { left: 2 };
    const order = new RoomOrder(small);
    const cursor = order.enterAtStart();

    for (const key of [1, 2, 3]) order.see(cursor, key);

    expect(order.sequences()[0]).toHaveLength(2);
    expect(small.left).toBeLessThan(0);
  });
});

/** As the ledger does: a member that skipped something is detached before it goes on. */
function feed(order: RoomOrder, list: readonly number[], truth: readonly number[]): void {
  const cursor = order.enterAtStart();
  let wanted = 0;
  for (const key of list) {
    if (key !== truth[wanted]) order.detach(cursor);
    order.see(cursor, key);
    wanted = truth.indexOf(key) + 1;
  }
}
