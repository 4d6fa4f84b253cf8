import { describe, expect, test } from "vitest";
import { Turns } from "../../src/demo/turns.ts";
import { defer } from "../../src/lib/deadline.ts";

describe("Turns", () => {
  test("begins with one thing when the one before has ended", async () => {
    const turns = new Turns();
    const first = defer<void>();
    const order: string[] = [];

    const both = [
      turns.take(async () => {
        await first.promise;
        order.push("first");
      }),
      turns.take(() => order.push("second")),
    ];
    first.resolve();
    await Promise.all(both);

    expect(order).toEqual(["first", "second"]);
  });

  test("goes on after one that failed", async () => {
    const turns = new Turns();

    const failing = turns.take(() => Promise.reject(new Error("no")));

    await expect(failing).rejects.toThrow("no");
    await expect(turns.take(() => "yes")).resolves.toBe("yes");
  });

  test("refuses at once what would have to wait behind twenty others", async () => {
    const turns = new Turns();
    const end = defer<void>();
    const taken = Array.from({ length: 20 }, () => turns.take(() => end.promise));

    const refused = turns.take(() => {});

    await expect(refused).rejects.toMatchObject({ code: "CHAT_ERR_TOO_FAST" });
    end.resolve();
    await Promise.all(taken);
    await expect(turns.take(() => "room again")).resolves.toBe("room again");
  });
});
