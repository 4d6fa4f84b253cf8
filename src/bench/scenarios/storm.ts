import type { ClientSpec } from "../load/script.ts";
import { COMMON_PARAMS, ROOM_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario } from "../scenario.ts";

export const storm = defineScenario({
  name: "storm",
  summary: "many connections at once while rooms are busy: what those who are in notice of it",
  reach: "room",
  mainLatency: "delivery",
  needs: [],
  events: ["join", "publish"],
  params: {
    ...COMMON_PARAMS,
    ...ROOM_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 200, doc: "Connections that are there before." },
    rate: { ...COMMON_PARAMS.rate, default: 200 },
    seconds: { ...COMMON_PARAMS.seconds, default: 8 },
    stormClients: { type: "integer", default: 5000, min: 1, max: 100_000, doc: "Connections that come at once." },
    hungSeconds: {
      type: "integer",
      default: 20,
      min: 1,
      max: 120,
      doc: "A connection without its CONNECT reply after this many seconds is hung.",
    },
  },

  script: (params, urlCount) => {
    const stayers = clientsInRooms(params.clients, params.roomSize, urlCount);
    const bornMs = params.warmupSeconds * 1000;
    // In rooms of their own, in which nobody sends.
    const everybody = clientsInRooms(params.clients + params.stormClients, params.roomSize, urlCount);
    const comers = everybody.slice(params.clients).map((client): ClientSpec => ({ ...client, flow: -1, bornMs }));
    return {
      clients: [...stayers, ...comers],
      flows: [{ event: "publish", ratePerSecond: params.rate }],
      tellsRoom: params.placement === "together",
      connectDeadlineMs: params.hungSeconds * 1000,
    };
  },

  figures: ({ connects, latency }) => [
    { name: "connectP50Ms", label: "time to connect, p50", value: latency("connect").p50, unit: "ms", better: "lower" },
    { name: "connectMaxMs", label: "time to connect, max", value: latency("connect").max, unit: "ms", better: "lower" },
    { name: "refused", label: "connection attempts refused", value: connects.refused, unit: "", better: "lower" },
    { name: "hung", label: "connection attempts hung", value: connects.hung, unit: "", better: "lower" },
  ],
});
