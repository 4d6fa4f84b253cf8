import { AllcoresError } from "../../errors.ts";
import { COMMON_PARAMS, ROOM_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario, outageFigures } from "../scenario.ts";

export const crash = defineScenario({
  name: "crash",
  summary: "SIGKILL to a socket worker while rooms are busy: what its clients lose",
  reach: "room",
  mainLatency: "delivery",
  needs: ["killWorker"],
  events: ["join", "publish"],
  params: {
    ...COMMON_PARAMS,
    ...ROOM_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 200 },
    rate: { ...COMMON_PARAMS.rate, default: 500 },
    seconds: { ...COMMON_PARAMS.seconds, default: 20 },
    atSecond: {
      type: "integer",
      default: 3,
      min: 0,
      max: 600,
      doc: "When the first one is killed, in the measured time.",
    },
    kills: { type: "integer", default: 1, min: 1, max: 20, doc: "How many workers are killed, one after the other." },
    everySeconds: { type: "integer", default: 6, min: 1, max: 600, doc: "Time between two kills." },
  },

  script: (params, urlCount) => ({
    clients: clientsInRooms(params.clients, params.roomSize, urlCount),
    flows: [{ event: "publish", ratePerSecond: params.rate }],
    tellsRoom: params.placement === "together",
    acksPublishes: true,
  }),

  during: async ({ control, at, mark }, { atSecond, kills, everySeconds }) => {
    if (control.killWorker === undefined)
      throw new AllcoresError("ALLCORES_ERR_BENCH", "This target has no workers to kill.");
    for (let kill = 0; kill < kills; kill++) {
      await at(atSecond + kill * everySeconds);
      const pid = await control.killWorker();
      mark(`worker ${pid} killed`);
    }
    await at(atSecond + kills * everySeconds);
  },

  figures: outageFigures,
});
