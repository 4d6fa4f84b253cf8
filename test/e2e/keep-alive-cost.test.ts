// What it saves that a proxy may keep its connections to the box: long-polling through nginx with and without, in turn.
// It prints what a request costs the box; only what is the same on every machine is asserted.

import { readdirSync, readFileSync } from "node:fs";
import { Agent } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sampleProcess } from "../../src/bench/cost/proc.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { metricOf } from "../helpers/metrics.ts";
import { beginPolling } from "../helpers/polling.ts";
import { NGINX, type RunningProxy, startProxyProgram } from "../helpers/proxy.ts";
import { describeWith } from "../helpers/requirements.ts";

const WORKERS = 2;
const CLIENTS = 50;
const ROUNDS = 3;
/** Of each client in a round; an echo is a POST and a poll. */
const ECHOES = Number(process.env.ALLCORES_TEST_ECHOES ?? 20);

interface Cost {
  readonly cpuUs: number;
  readonly connections: number;
}

describeWith("nginx", "long-polling behind nginx", () => {
  let box: TestBox;
  let kept: RunningProxy;
  let closed: RunningProxy;
  beforeAll(async () => {
    box = await startBox({ app: "body-app.mjs", workers: WORKERS, flags: ["--supervisor-drain-timeout-ms", "500"] });
    kept = await startProxyProgram({ ...NGINX, config: "nginx-keep.conf" }, box.url);
    closed = await startProxyProgram({ ...NGINX, config: "nginx-close.conf" }, box.url);
  });
  afterAll(async () => {
    await kept?.stop();
    await closed?.stop();
    await box?.stop();
  });

  test("costs a connection a request unless nginx keeps its connections", async () => {
    const costs: { kept: Cost[]; closed: Cost[] } = { kept: [], closed: [] };

    for (let round = 0; round < ROUNDS; round++) {
      costs.kept.push(await measure(kept.url));
      costs.closed.push(await measure(closed.url));
    }

    for (const [name, rounds] of Object.entries(costs)) {
      const cpuUs = rounds.map((cost) => Math.round(cost.cpuUs)).join(", ");
      const connections = rounds.map((cost) => cost.connections.toFixed(3)).join(", ");
      console.log(`${name}: ${cpuUs} CPU-µs of the box and ${connections} TCP connections a request`);
    }
    expect(Math.max(...costs.kept.map(({ connections }) => connections))).toBeLessThan(0.2);
    expect(Math.min(...costs.closed.map(({ connections }) => connections))).toBeGreaterThanOrEqual(1);
  });

  async function measure(url: string): Promise<Cost> {
    const agent = new Agent({ keepAlive: true });
    const sessions = await Promise.all(Array.from({ length: CLIENTS }, () => beginPolling(url, agent)));
    const [cpuUs, connections] = [cpuOf(box), await metricOf(box, "allcores_router_accepted_total")];
    let requests = 0;

    await Promise.all(
      sessions.map(async (session) => {
        for (let i = 0; i < ECHOES; i++) {
          await Promise.all([session.next(`43${i}[`), session.post(`42${i}["echo","hello"]`)]);
          requests += 2;
        }
      }),
    );

    const cost: Cost = {
      cpuUs: (cpuOf(box) - cpuUs) / requests,
      connections: ((await metricOf(box, "allcores_router_accepted_total")) - connections) / requests,
    };
    await Promise.all(sessions.map((session) => session.post("1")));
    agent.destroy();
    return cost;
  }
});

function cpuOf({ child }: TestBox): number {
  const all = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(all)];
  return all(child.pid ?? 0).reduce((sum, pid) => sum + (sampleProcess(pid)?.cpuUs ?? 0), 0);
}

function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  });
}
