import { COMMON_PARAMS } from "../params.ts";
import { clientsAlone, defineScenario } from "../scenario.ts";

/** One client in so many sends the heavy events, and nothing else. */
const HEAVY_CLIENTS = 10;

export const cpu = defineScenario({
  name: "cpu",
  summary: "1 % of events cost 50 ms of CPU: what that does to the other 99 %",
  reach: "self",
  mainLatency: "echo",
  needs: [],
  events: ["echo", "work", "workPool"],
  params: {
    ...COMMON_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 200, min: HEAVY_CLIENTS },
    rate: { ...COMMON_PARAMS.rate, default: 1000 },
    heavyPercent: { type: "integer", default: 1, min: 1, max: 99, doc: "Events that cost CPU, in percent." },
    mode: {
      type: "choice",
      default: "pool",
      values: ["inline", "pool"],
      doc: "Where the work is done: in the event handler, or on the pool.",
    },
  },

  script: (params, urlCount) => {
    const heavyRate = (params.rate * params.heavyPercent) / 100;
    return {
      clients: clientsAlone(params.clients, urlCount, (id) => (id % HEAVY_CLIENTS === 0 ? 1 : 0)),
      flows: [
        { event: "echo", ratePerSecond: params.rate - heavyRate },
        { event: params.mode === "pool" ? "workPool" : "work", ratePerSecond: heavyRate },
      ],
    };
  },
});
