import { CONNECT_LATENCY } from "../load/run-stats.ts";
import { COMMON_PARAMS } from "../params.ts";
import { clientsAlone, defineScenario } from "../scenario.ts";

const { clients, connectRate } = COMMON_PARAMS;

export const connect = defineScenario({
  name: "connect",
  summary: "a storm of connections: rate, balance over the workers, connects that hang",
  reach: "self",
  mainLatency: CONNECT_LATENCY,
  measuresConnects: true,
  needs: [],
  events: [],
  params: {
    clients: { ...clients, default: 1000 },
    connectRate: { ...connectRate, default: 0 },
    hungSeconds: {
      type: "integer",
      default: 10,
      min: 1,
      max: 120,
      doc: "A connection without its CONNECT reply after this many seconds is hung.",
    },
    seconds: { ...COMMON_PARAMS.seconds, default: 2 },
    warmupSeconds: { ...COMMON_PARAMS.warmupSeconds, default: 0 },
  },

  script: (params, urlCount) => ({
    clients: clientsAlone(params.clients, urlCount, () => -1),
    flows: [],
    connectDeadlineMs: params.hungSeconds * 1000,
    connectRetryMs: 0,
  }),

  figures: ({ connects, script }) => [
    { name: "connectsPerSecond", label: "connections per second", value: connects.rate, unit: "/s", better: "higher" },
    { name: "hung", label: "connects that hung", value: connects.hung, unit: "", better: "lower" },
    { name: "refused", label: "connects refused", value: connects.refused, unit: "", better: "lower" },
    {
      name: "notConnected",
      label: "clients that did not get in",
      value: script.clients.length - connects.connected,
      unit: "",
      better: "lower",
    },
    {
      name: "imbalance",
      label: "fullest worker, times an even share",
      value: imbalance(Object.values(connects.byWorker)),
      unit: "x",
      better: "lower",
    },
  ],
});

/** 1: all workers have the same number. 0: the app tells no workers. */
function imbalance(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total === 0 ? 0 : (Math.max(...counts) * counts.length) / total;
}
