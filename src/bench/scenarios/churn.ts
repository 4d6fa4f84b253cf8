import type { ClientSpec } from "../load/script.ts";
import { COMMON_PARAMS, ROOM_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario } from "../scenario.ts";

export const churn = defineScenario({
  name: "churn",
  summary: "clients connect, work for a while and leave, in rooms that others stay in",
  reach: "room",
  mainLatency: "delivery",
  needs: [],
  events: ["join", "publish"],
  params: {
    ...COMMON_PARAMS,
    ...ROOM_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 100, doc: "Connections that stay." },
    rate: { ...COMMON_PARAMS.rate, default: 500 },
    birthRate: { type: "integer", default: 40, min: 1, max: 10_000, doc: "Connections per second that come and go." },
    lifeSeconds: { type: "integer", default: 3, min: 1, max: 600, doc: "How long each of them stays." },
  },

  script: (params, urlCount) => {
    const stayers = clientsInRooms(params.clients, params.roomSize, urlCount);
    const births = params.birthRate * (params.warmupSeconds + params.seconds);
    const visitors = Array.from({ length: births }, (_, n): ClientSpec => {
      const host = stayers[(n * params.roomSize) % stayers.length] as ClientSpec;
      const bornMs = (n * 1000) / params.birthRate;
      return { ...host, id: stayers.length + n, bornMs, diesMs: bornMs + params.lifeSeconds * 1000 };
    });
    return {
      clients: [...stayers, ...visitors],
      flows: [{ event: "publish", ratePerSecond: params.rate }],
      tellsRoom: params.placement === "together",
    };
  },

  figures: ({ connects, latency }) => [
    { name: "visitors", label: "clients that came", value: connects.connected, unit: "", better: "neither" },
    { name: "refused", label: "connection attempts refused", value: connects.refused, unit: "", better: "lower" },
    { name: "hung", label: "connection attempts hung", value: connects.hung, unit: "", better: "lower" },
    { name: "connectP99Ms", label: "time to connect, p99", value: latency("connect").p99, unit: "ms", better: "lower" },
  ],
});
