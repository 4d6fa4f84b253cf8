import { COMMON_PARAMS } from "../params.ts";
import { clientsAlone, defineScenario } from "../scenario.ts";

export const echo = defineScenario({
  name: "echo",
  summary: "one event, one ack: the round trip",
  reach: "self",
  mainLatency: "echo",
  needs: [],
  events: ["echo"],
  params: { ...COMMON_PARAMS, rate: { ...COMMON_PARAMS.rate, default: 4000 } },

  script: (params, urlCount) => ({
    clients: clientsAlone(params.clients, urlCount, () => 0),
    flows: [{ event: "echo", ratePerSecond: params.rate }],
  }),
});
