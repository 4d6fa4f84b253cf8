import { afterEach, describe, expect, test, vi } from "vitest";
import { Rounds } from "../../src/bus/rounds.ts";

afterEach(() => void vi.unstubAllGlobals());

interface Scene {
  /** A message comes every so many milliseconds, for a second. */
  readonly everyMs: number;
  readonly intervalMs?: number;
  readonly maySleep?: boolean;
}

interface Outcome {
  readonly writes: number;
  readonly sleepsMs: readonly number[];
  /** How long each message waited until it was written. */
  readonly waitsMs: readonly number[];
}

const TURN_MS = 0.02;

/** What an event loop does that takes messages when it is awake, and passes them on: timers, poll, what is immediate. */
function loop({ everyMs, intervalMs = 8, maySleep = true }: Scene): Outcome {
  const arrivals = Array.from({ length: 1000 / everyMs }, (_, i) => 100 + i * everyMs);
  const sleepsMs: number[] = [];
  const waitsMs: number[] = [];
  let now = 0;
  let taken = 0;
  let writes = 0;
  let waiting: number[] = [];
  let immediates: (() => void)[] = [];
  let timers: { readonly at: number; readonly act: () => void }[] = [];
  vi.stubGlobal("setImmediate", (act: () => void) => immediates.push(act));
  vi.stubGlobal("setTimeout", (act: () => void, ms: number) => timers.push({ at: now + ms, act }));

  const clock = {
    now: () => now,
    sleep: (ms: number) => {
      sleepsMs.push(ms);
      now += ms;
    },
  };
  const rounds = new Rounds({ intervalMs, messages: () => taken, maySleep: () => maySleep, clock });
  const write = (): number => {
    const written = waiting;
    waiting = [];
    writes++;
    waitsMs.push(...written.map((at) => now - at));
    return written.length;
  };

  while (taken < arrivals.length || immediates.length + timers.length > 0) {
    const isDue = ({ at }: { readonly at: number }): boolean => at <= now;
    const due = timers.filter(isDue);
    timers = timers.filter((timer) => !isDue(timer));
    for (const { act } of due) act();

    // With nothing to do, the loop stands still until something comes.
    const wakesAt = Math.min(arrivals[taken] ?? Number.POSITIVE_INFINITY, ...timers.map(({ at }) => at));
    if (immediates.length === 0 && Number.isFinite(wakesAt)) now = Math.max(now, wakesAt);
    for (let at = arrivals[taken]; at !== undefined && at <= now; at = arrivals[taken]) {
      taken++;
      if (waiting.push(at) === 1) rounds.schedule(write);
    }

    const acts = immediates;
    immediates = [];
    for (const act of acts) act();
    now += TURN_MS;
  }
  return { writes, sleepsMs, waitsMs };
}

/** Until it is known how densely messages come, each is written at once. */
const FIRST_MS = 25;

describe("Rounds", () => {
  test("of messages that come densely, many are written together, and none waits longer than to the next round", () => {
    const { writes, sleepsMs, waitsMs } = loop({ everyMs: 0.5 });

    expect(waitsMs).toHaveLength(2000);
    expect(writes).toBeLessThan(1000 / 8 + FIRST_MS / 0.5 + 20);
    expect(Math.max(...waitsMs)).toBeLessThan(8 + 5 * TURN_MS);
    expect(sleepsMs.length).toBeGreaterThan(100);
  });

  test.each([
    [8, 2],
    [8, 50],
    [2, 0.5],
    [0, 0.1],
  ])("with an interval of %d ms, a message every %d ms is written at once", (intervalMs, everyMs) => {
    const { sleepsMs, waitsMs } = loop({ intervalMs, everyMs });

    expect(sleepsMs).toEqual([]);
    expect(Math.max(...waitsMs)).toBeLessThan(2 * TURN_MS);
  });

  test("where very many come, none waits for more than half of the interval", () => {
    const { waitsMs } = loop({ everyMs: 0.1 });

    expect(Math.max(...waitsMs)).toBeLessThan(4 + 5 * TURN_MS);
  });

  test("while somebody needs the event loop, the thread does not sleep, and what waits is written together all the same", () => {
    const { writes, sleepsMs, waitsMs } = loop({ everyMs: 0.5, maySleep: false });

    expect(sleepsMs).toEqual([]);
    expect(waitsMs).toHaveLength(2000);
    expect(writes).toBeLessThan(1000 / 7 + FIRST_MS / 0.5 + 20);
  });

  test("however long the interval, the event loop has a turn every 10 ms", () => {
    const { sleepsMs, waitsMs } = loop({ everyMs: 0.5, intervalMs: 100 });

    expect(waitsMs).toHaveLength(2000);
    expect(sleepsMs.length).toBeGreaterThan(50);
    expect(Math.max(...sleepsMs)).toBe(10);
  });

  test("what comes while it writes is written too", async () => {
    const rounds = new Rounds({ intervalMs: 8, messages: () => 0, maySleep: () => true });
    const late = vi.fn(() => 1);

    rounds.schedule(() => {
      rounds.schedule(late);
      return 1;
    });

    await vi.waitFor(() => expect(late).toHaveBeenCalledOnce());
  });
});
