import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ScenarioPlan } from "../../src/bench/contract.ts";
import { SCENARIOS } from "../../src/bench/scenarios.ts";
import { flagsOf, parseBenchCommand } from "../../src/cli/bench-command.ts";
import { STANDS_ALONE } from "../../src/cli/flag-table.ts";

const parse = (line: string) => parseBenchCommand(line.split(" "), SCENARIOS);

describe("a bench command", () => {
  test("runs the server under test first, then those it is compared with, three rounds long", async () => {
    const { request } = await parse("rooms --compare single,floor,single --workers 4 --rate 500");

    const [step] = request.steps;
    expect(step?.contenders.map(({ kind, workers }) => [kind.name, workers])).toEqual([
      ["allcores", 4],
      ["single", 1],
      ["floor", 4],
    ]);
    expect(step?.rounds).toBe(3);
    expect(step?.plan).toEqual({
      scenario: "rooms",
      params: { rate: 500 },
      loadProcesses: 2,
      loadLimits: { maxBusy: 0.9, maxLagMs: 50 },
      iOwnThisServer: false,
    });
    expect(request.command).toBe("allcores bench rooms --compare single,floor,single --workers 4 --rate 500");
  });

  test("runs once when nothing is compared", async () => {
    const { request } = await parse("echo --target single");

    expect(request.steps[0]?.rounds).toBe(1);
    expect(request.steps[0]?.contenders.map(({ kind }) => kind.name)).toEqual(["single"]);
  });

  test("knows thresholds and outputs only by what was given", async () => {
    const { thresholds, outputs } = await parse("echo --max-p99 50 --min-rate 10 --no-loss --json --html out.html");

    expect(thresholds).toEqual({ maxP99Ms: 50, minRate: 10, noLoss: true });
    expect(outputs).toEqual({ json: STANDS_ALONE, html: "out.html" });
    expect((await parse("echo")).thresholds).toEqual({});
  });

  test("measures scaling against the floor, with every number of workers", async () => {
    const { request } = await parse("scaling --workers 4,1,2,2 --compare official-patched --rate 300");

    expect(request.steps).toEqual([]);
    expect(request.scaling?.kinds.map((kind) => kind.name)).toEqual(["allcores", "floor", "official-patched"]);
    expect(request.scaling?.workerCounts).toEqual([1, 2, 4]);
    expect(request.scaling?.plan).toMatchObject({ scenario: "rooms", params: { rate: 300 } });
  });

  test("lets messages leave later in scaling than elsewhere, unless a flag says how late", async () => {
    const lagOf = ({ loadLimits }: ScenarioPlan = { scenario: "" }) => loadLimits?.maxLagMs;
    const [readme, scaling, strict] = await Promise.all(
      ["readme", "scaling", "scaling --max-load-lag 20"].map(async (line) => (await parse(line)).request),
    );

    expect(new Set(readme?.steps.map(({ plan }) => lagOf(plan)))).toEqual(new Set([50]));
    expect([readme, scaling, strict].map((request) => lagOf(request?.scaling?.plan))).toEqual([150, 150, 20]);
  });

  test("has a set for the README, with files of its own", async () => {
    const { request, outputs } = await parse("readme --html elsewhere.html");

    const measured = request.steps.map(({ plan }) => plan.scenario);
    expect(measured).toEqual(["connect", "rooms", "direct", "idle", "jitter", "reload"]);
    expect(request.scaling?.kinds.map((kind) => kind.name)).toEqual(["allcores", "floor"]);
    const servers = request.steps.map(({ contenders }) => contenders.map(({ kind }) => kind.name));
    expect(servers.slice(-2)).toEqual([
      ["allcores", "single-recovery"],
      ["allcores", "official-patched"],
    ]);
    expect(outputs).toMatchObject({ json: "bench-results/readme.json", html: "elsewhere.html" });
  });

  test("loads a server that runs, with the protocol of a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "allcores-protocol-"));
    const file = join(folder, "mine.json");
    await writeFile(file, JSON.stringify({ name: "mine", events: { echo: { event: "ping", args: ["$payload"] } } }));

    const { request } = await parse(`echo --url http://127.0.0.1:3000 --app-protocol ${file}`);
    const rooms = parse(`rooms --url http://127.0.0.1:3000 --app-protocol ${file}`);

    expect(request.steps[0]?.plan).toMatchObject({ protocol: { name: "mine" }, iOwnThisServer: false });
    expect(request.steps[0]?.contenders[0]?.kind.name).toBe("127.0.0.1:3000");
    await expect(rooms).rejects.toThrow('rooms needs the events join, publish, which the app protocol "mine"');
    await rm(folder, { recursive: true });
  });

  test.each([
    ["roms", 'There is no scenario "roms". Did you mean rooms?'],
    ["scalling", 'There is no scenario "scalling". Did you mean scaling?'],
    ["frobnicate", 'There is no scenario "frobnicate". See --list.'],
    ["rooms --clinets 5", "has no flag --clinets. Did you mean --clients?"],
    ["rooms echo", 'does not take "echo"'],
    ["rooms --compare offical", 'There is no server "offical"'],
    ["rooms --clients 0", "--clients must be a whole number from 1"],
    ["reload --target floor", "reload needs a server that it can reload: floor is none."],
    ["crash --compare single", "crash needs a server that it can kill a worker of: single is none."],
    ["reload --url http://127.0.0.1:3000", "has no flag --url."],
    ["rooms --url http://127.0.0.1:3000 --compare single", "--url loads a server that runs"],
    ["rooms --url 127.0.0.1:3000", "--url must be an http:// URL"],
    ["scaling --workers 1,two", "--workers must be whole numbers"],
    ["scaling --compare single", "single has no workers to add."],
    ["readme --rate 5", "has no flag --rate."],
  ])("%s is refused", async (line, message) => {
    await expect(parse(line)).rejects.toMatchObject({
      code: "ALLCORES_ERR_USAGE",
      message: expect.stringContaining(message),
    });
  });

  test("has a flag for every parameter of every scenario, and no parameter hides another flag", () => {
    for (const { name, params } of SCENARIOS) {
      const flags = flagsOf(name, SCENARIOS);

      for (const [parameter, spec] of Object.entries(params)) expect(flags[parameter]).toBe(spec);
    }
  });
});
