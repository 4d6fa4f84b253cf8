import { afterEach, describe, expect, test, vi } from "vitest";
import { Rounds } from "../../src/bus/rounds.ts";

afterEach(() => void vi.unstubAllGlobals());

interface Scene {
  /** When messages come, in milliseconds, in order. */
  readonly arrivals: readonly number[];
  readonly intervalMs?: number;
  readonly maySleep?: boolean;
}

interface Outcome {
  readonly writes: number;
  readonly sleepsMs: readonly number[];
  /** Sleeps between which the loop had no turn. */
  readonly sleepsInARow: number;
  /** How long each message waited until it was written, in order. */
  readonly waitsMs: readonly number[];
}

const TURN_MS = 0.02;
/** A message waits at most until the next round, and for the turns that it takes. */
const TURNS_MS = 5 * TURN_MS;
const END_MS = 10_000;

/** A message every so many milliseconds, for so long. */
function every(everyMs: number, forMs = 1000, fromMs = 100): number[] {
  return Array.from({ length: forMs / everyMs }, (_, i) => fromMs + i * everyMs);
}

/** What an event loop does that takes messages when it is awake, and passes them on: timers, poll, what is immediate. */
function loop({ arrivals, intervalMs = 8, maySleep = true }: Scene): Outcome {
  const sleepsMs: number[] = [];
  const waitsMs: number[] = [];
  let now = 0;
  let turn = 0;
  let sleptInTurn = -1;
  let sleepsInARow = 0;
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
      if (turn === sleptInTurn) sleepsInARow++;
      sleptInTurn = turn;
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
    if (now > END_MS) throw new Error("The loop does not come to rest.");
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
    turn++;
  }
  return { writes, sleepsMs, sleepsInARow, waitsMs };
}

/** Writes until it is known how densely messages come, when there is one every half a millisecond. */
const FIRST_WRITES = 50;

describe("Rounds", () => {
  test("of messages that come densely, many are written together, and none waits longer than to the next round", () => {
    const { writes, sleepsMs, waitsMs } = loop({ arrivals: every(0.5) });

    expect(waitsMs).toHaveLength(2000);
    expect(writes).toBeLessThan(1000 / 8 + FIRST_WRITES + 20);
    expect(Math.max(...waitsMs)).toBeLessThan(8 + TURNS_MS);
    expect(sleepsMs.length).toBeGreaterThan(100);
  });

  test.each([
    [8, 1.2],
    [8, 50],
    [2, 0.5],
    [100, 15],
    [0, 0.1],
  ])("with an interval of %d ms, a message every %d ms is written at once", (intervalMs, everyMs) => {
    const { sleepsMs, waitsMs } = loop({ intervalMs, arrivals: every(everyMs) });

    expect(sleepsMs).toEqual([]);
    expect(Math.max(...waitsMs)).toBeLessThan(2 * TURN_MS);
  });

  test("what began goes on until fewer than half as many come", () => {
    const { waitsMs } = loop({ arrivals: [...every(0.5, 200), ...every(1.6, 400, 300), ...every(3, 600, 700)] });
    const [slower, sparse] = [waitsMs.slice(400, 650), waitsMs.slice(-150)];

    expect(slower.filter((ms) => ms > 1).length).toBeGreaterThan(150);
    expect(Math.max(...sparse)).toBeLessThan(2 * TURN_MS);
  });

  test("where very many come, none waits for more than half of the interval", () => {
    const { waitsMs } = loop({ arrivals: every(0.1) });

    expect(Math.max(...waitsMs.slice(500))).toBeLessThan(4 + TURNS_MS);
  });

  test("while the event loop is needed, the thread does not sleep, and what waits is written together all the same", () => {
    const { writes, sleepsMs, waitsMs } = loop({ arrivals: every(0.5), maySleep: false });

    expect(sleepsMs).toEqual([]);
    expect(waitsMs).toHaveLength(2000);
    expect(Math.max(...waitsMs)).toBeLessThan(8 + TURNS_MS);
    expect(writes).toBeLessThan(1000 / 7 + FIRST_WRITES + 20);
  });

  test("however long the interval, the event loop has a turn every 10 ms", () => {
    const { writes, sleepsMs, sleepsInARow } = loop({ arrivals: every(0.5), intervalMs: 100 });

    expect(sleepsMs.length).toBeGreaterThan(50);
    expect(Math.max(...sleepsMs)).toBe(10);
    expect(sleepsInARow).toBe(0);
    // The rounds of 50 ms that so many messages make, after 100 ms in which each was written at once.
    expect(writes).toBeLessThan(1000 / 50 + 200 + 20);
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
