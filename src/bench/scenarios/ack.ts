import { COMMON_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario } from "../scenario.ts";

export const ack = defineScenario({
  name: "ack",
  summary: "the server asks a whole room and waits for every answer (emitWithAck)",
  reach: "room",
  mainLatency: "ask",
  needs: [],
  events: ["join", "ask"],
  params: {
    ...COMMON_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 200 },
    roomSize: { type: "integer", default: 50, min: 1, max: 10_000, doc: "Clients asked at a time." },
    rate: { ...COMMON_PARAMS.rate, default: 80 },
  },

  script: (params, urlCount) => ({
    clients: clientsInRooms(params.clients, params.roomSize, urlCount),
    flows: [{ event: "ask", ratePerSecond: params.rate }],
  }),
});
