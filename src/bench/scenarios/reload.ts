import { AllcoresError } from "../../errors.ts";
import { COMMON_PARAMS, ROOM_PARAMS } from "../params.ts";
import { clientsInRooms, defineScenario, outageFigures } from "../scenario.ts";

/** Traffic after it, so that the last clients that were moved are seen to be served. */
const AFTERMATH_SECONDS = 3;

export const reload = defineScenario({
  name: "reload",
  summary:
    "a deploy while rooms are busy, by rolling reload or by restart where there is none: what clients notice of it",
  reach: "room",
  mainLatency: "delivery",
  needs: ["reload"],
  events: ["join", "publish"],
  params: {
    ...COMMON_PARAMS,
    ...ROOM_PARAMS,
    clients: { ...COMMON_PARAMS.clients, default: 200 },
    rate: { ...COMMON_PARAMS.rate, default: 500 },
    atSecond: { type: "integer", default: 3, min: 0, max: 600, doc: "When it begins, in the measured time." },
  },

  script: (params, urlCount) => ({
    clients: clientsInRooms(params.clients, params.roomSize, urlCount),
    flows: [{ event: "publish", ratePerSecond: params.rate }],
    tellsRoom: params.placement === "together",
    acksPublishes: true,
  }),

  during: async ({ control, at, mark }, { atSecond }) => {
    if (control.reload === undefined) throw new AllcoresError("ALLCORES_ERR_BENCH", "This target cannot reload.");
    await at(atSecond);
    const begin = performance.now();
    mark("reload began");
    await control.reload();
    mark("reload done");
    await at(atSecond + (performance.now() - begin) / 1000 + AFTERMATH_SECONDS);
  },

  figures: outageFigures,
});
