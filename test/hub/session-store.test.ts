import { describe, expect, test } from "vitest";
import { Hub } from "../../src/hub/hub.ts";
import { attach, restore, TestWorker } from "../helpers/test-hub.ts";

describe("sessions that wait", () => {
  test("are as many as the hub may keep: the one that has waited longest is let go", () => {
    const hub = new Hub({ maxLogBytes: 1_048_576, windowMs: 1000, maxDetached: 2, evictionTimeoutMs: 1000 });
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    for (const key of [1, 2, 3]) attach(hub, home, key, `p${key}`);

    for (const key of [1, 2, 3]) home.detach(hub, key);

    expect(hub.stats().detached).toBe(2);
    expect(restore(hub, other, 11, "p1", 0).outcome).toBe("unknown");
    expect(restore(hub, other, 12, "p2", 0).outcome).toMatchObject({ sid: "sid-p2" });
    expect(restore(hub, other, 13, "p3", 0).outcome).toMatchObject({ sid: "sid-p3" });
  });
});
