import { COMMON_PARAMS, ROOM_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario, outageFigures } from "../scenario.ts";

export const jitter = defineScenario({
  name: "jitter",
  summary: "clients lose their TCP connection again and again, and must get every message all the same",
  reach: "room",
  mainLatency: "delivery",
  needs: [],
  events: ["join", "publish"],
  params: {
    ...COMMON_PARAMS,
    ...ROOM_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 200 },
    rate: { ...COMMON_PARAMS.rate, default: 500 },
    seconds: { ...COMMON_PARAMS.seconds, default: 30 },
    everySeconds: { type: "integer", default: 15, min: 1, max: 600, doc: "Time between two breaks of a client." },
    awaySeconds: { type: "integer", default: 2, min: 1, max: 600, doc: "How long a client is away each time." },
    drop: {
      type: "choice",
      default: "reset",
      values: ["reset", "silent"],
      doc: "reset: the server sees the break at once. silent: the old connection stays open, and is never read again.",
    },
  },

  script: (params, urlCount) => ({
    clients: clientsInRooms(params.clients, params.roomSize, urlCount),
    flows: [{ event: "publish", ratePerSecond: params.rate }],
    tellsRoom: params.placement === "together",
    acksPublishes: true,
    outages: {
      everyMs: params.everySeconds * 1000,
      forMs: params.awaySeconds * 1000,
      drop: params.drop === "silent" ? "silent" : "reset",
    },
  }),

  figures: outageFigures,
});
