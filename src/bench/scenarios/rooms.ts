import { COMMON_PARAMS, ROOM_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario } from "../scenario.ts";

export const rooms = defineScenario({
  name: "rooms",
  summary: "many small rooms, everybody sends: what a chat does",
  reach: "room",
  mainLatency: "delivery",
  needs: [],
  events: ["join", "publish"],
  params: {
    ...COMMON_PARAMS,
    ...ROOM_PARAMS,
    placement: { ...ROOM_PARAMS.placement, default: "together" },
  },

  script: (params, urlCount) => ({
    clients: clientsInRooms(params.clients, params.roomSize, urlCount),
    flows: [{ event: "publish", ratePerSecond: params.rate }],
    tellsRoom: params.placement === "together",
  }),
});
