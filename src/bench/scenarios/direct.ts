import { COMMON_PARAMS } from "../params.ts";
import { clientsAlone, defineScenario, type RunFacts } from "../scenario.ts";

export const direct = defineScenario({
  name: "direct",
  summary: "messages to one user each, who is on another worker",
  reach: "user",
  mainLatency: "delivery",
  needs: [],
  events: ["direct"],
  params: { ...COMMON_PARAMS, rate: { ...COMMON_PARAMS.rate, default: 4000 } },

  script: (params, urlCount) => ({
    clients: clientsAlone(params.clients, urlCount, () => 0),
    flows: [{ event: "direct", ratePerSecond: params.rate }],
  }),

  figures: (facts) => [
    {
      name: "otherWorkerPercent",
      label: "messages to another worker",
      value: otherWorkerPercent(facts),
      unit: "%",
      better: "neither",
    },
  ],
});

function otherWorkerPercent({ workers, sendRooms }: RunFacts): number {
  if (workers.size === 0) return 0;
  const others = [...sendRooms].filter((target, client) => workers.get(client) !== workers.get(target));
  return (others.length / sendRooms.length) * 100;
}
