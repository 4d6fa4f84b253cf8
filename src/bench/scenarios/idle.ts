import type { Figure } from "../contract.ts";
import { CONNECT_LATENCY } from "../load/run-stats.ts";
import { COMMON_PARAMS } from "../params.ts";
import { clientsAlone, defineScenario, type RunFacts } from "../scenario.ts";

const { clients, connectRate, seconds, warmupSeconds } = COMMON_PARAMS;

export const idle = defineScenario({
  name: "idle",
  summary: "connections that do nothing but answer pings: memory and CPU of each",
  reach: "self",
  mainLatency: CONNECT_LATENCY,
  needs: [],
  events: [],
  params: {
    clients: { ...clients, default: 2000 },
    connectRate: { ...connectRate, default: 1000 },
    // Longer than the default ping interval of 25 s, so that every connection is pinged at least once.
    seconds: { ...seconds, default: 30 },
    warmupSeconds: { ...warmupSeconds, default: 2 },
  },

  script: (params, urlCount) => ({ clients: clientsAlone(params.clients, urlCount, () => -1), flows: [] }),

  figures: (facts, params) => idleFigures(facts, params.clients),
});

function idleFigures({ cost, pssBeforeBytes, measuredMs }: RunFacts, connections: number): Figure[] {
  if (cost === undefined || pssBeforeBytes === undefined) return [];
  return [
    {
      name: "kilobytesPerConnection",
      label: "memory per connection",
      value: (cost.pssBytes.total - pssBeforeBytes.total) / connections / 1024,
      unit: "kB",
      better: "lower",
    },
    {
      name: "cpuUsPerConnectionSecond",
      label: "CPU per connection and second",
      value: cost.cpuUs.total / connections / (measuredMs / 1000),
      unit: "µs",
      better: "lower",
    },
  ];
}
