import { describe, expect, test } from "vitest";
import { resolveParams } from "../../src/bench/params.ts";
import { BENCH_PROTOCOL } from "../../src/bench/protocols.ts";
import { findScenario, SCENARIOS } from "../../src/bench/scenarios.ts";

const NAMES = SCENARIOS.map(({ name }) => name);

describe("every scenario", () => {
  test("has a name of its own", () => {
    expect(new Set(NAMES).size).toBe(NAMES.length);
  });

  test.each(NAMES)("%s can be run on the bench app with its defaults, within a minute", (name) => {
    const scenario = findScenario(name);
    const params = resolveParams(scenario.params);

    const { clients, flows } = scenario.script(params, 1);

    expect(clients.map(({ id }) => id)).toEqual([...clients.keys()]);
    expect(scenario.events.filter((event) => BENCH_PROTOCOL.events[event] === undefined)).toEqual([]);
    for (const index of flows.keys()) expect(clients.some(({ flow }) => flow === index)).toBe(true);
    expect(Number(params.seconds) + Number(params.warmupSeconds)).toBeLessThanOrEqual(45);
  });

  test.each(NAMES)("%s keeps the clients of a room on one server of several", (name) => {
    const scenario = findScenario(name);

    const { clients } = scenario.script(resolveParams(scenario.params), 3);

    const inRooms = clients.filter(({ room }) => room >= 0);
    expect(inRooms.filter(({ room, url }) => url !== room % 3)).toEqual([]);
    expect(new Set(clients.map(({ url }) => url)).size).toBe(name === "room" ? 1 : 3);
  });
});

describe("resolveParams", () => {
  const table = {
    rate: { type: "integer", default: 5, min: 1, max: 10, doc: "" },
    mode: { type: "choice", default: "a", values: ["a", "b"], doc: "" },
    loud: { type: "boolean", default: false, doc: "" },
  } as const;

  test("fills in the defaults", () => {
    expect(resolveParams(table, { rate: 7 })).toEqual({ rate: 7, mode: "a", loud: false });
  });

  test.each([
    [{ rate: 0 }, /"rate" must be a whole number from 1 to 10, got 0/],
    [{ rate: 1.5 }, /got 1.5/],
    [{ rate: Number.NaN }, /got NaN/],
    [{ rate: "5" }, /"rate" must be/],
    [{ mode: "c" }, /"mode" must be one of a, b/],
    [{ loud: "yes" }, /"loud" must be true or false/],
    [{ speed: 1 }, /no parameter "speed"; there are rate, mode, loud/],
  ])("refuses %o", (given, message) => {
    expect(() => resolveParams(table, given)).toThrow(message);
  });
});
