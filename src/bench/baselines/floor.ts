// The floor: as many plain Socket.IO processes as there are workers, which share nothing.
// No server that connects its workers can be cheaper; what it costs above this is the price of being one server.

import type { Baseline } from "./baseline.ts";
import { spawnBaseline } from "./spawn.ts";

export const floor: Baseline = {
  name: "floor",
  summary: "as many plain Socket.IO processes as workers, sharing nothing, rooms kept apart by the load side",
  packages: ["socket.io"],
  settings: [],
  usesWorkers: true,
  ordersRooms: true,
  replacesWorkers: false,
  takesPort: false,
  start: async ({ workers }) => {
    const singles = await Promise.all(Array.from({ length: workers }, () => spawnBaseline("single", 1)));
    return {
      urls: singles.flatMap((one) => one.urls),
      pids: { socketWorker: singles.flatMap((one) => one.pids().socketWorker ?? []) },
      close: async () => {
        await Promise.all(singles.map((one) => one.stop()));
      },
    };
  },
};
