import { COMMON_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario } from "../scenario.ts";

export const room = defineScenario({
  name: "room",
  summary: "one big room: every message goes to everybody in it",
  reach: "room",
  mainLatency: "delivery",
  needs: [],
  events: ["join", "publish"],
  params: {
    ...COMMON_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 500 },
    rate: { ...COMMON_PARAMS.rate, default: 40 },
  },

  script: (params, urlCount) => ({
    clients: clientsInRooms(params.clients, params.clients, urlCount),
    flows: [{ event: "publish", ratePerSecond: params.rate }],
  }),
});
