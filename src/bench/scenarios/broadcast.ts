import { COMMON_PARAMS } from "../params.ts";
import { clientsAlone, defineScenario } from "../scenario.ts";

export const broadcast = defineScenario({
  name: "broadcast",
  summary: "messages from a few clients to everybody",
  reach: "all",
  mainLatency: "delivery",
  needs: [],
  events: ["broadcast"],
  params: {
    ...COMMON_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 500 },
    senders: { type: "integer", default: 10, min: 1, max: 10_000, doc: "How many of the clients send." },
    rate: { ...COMMON_PARAMS.rate, default: 40 },
  },

  script: (params, urlCount) => ({
    clients: clientsAlone(params.clients, urlCount, (id) => (id < params.senders ? 0 : -1)),
    flows: [{ event: "broadcast", ratePerSecond: params.rate }],
  }),
});
