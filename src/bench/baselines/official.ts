// Socket.IO's own answer to many cores: @socket.io/sticky and @socket.io/cluster-adapter, set up as their documentation
// has it. As it stands it loses connections at connect time, so a second variant has that bug worked around.

import { createAdapter, setupPrimary } from "@socket.io/cluster-adapter";
import { createAppServer } from "./app-server.ts";
import type { Baseline } from "./baseline.ts";
import { HANDLE_FIX, ownSlot, STICKY_SETTINGS, serveSticky, startSticky } from "./sticky.ts";

export const official: Baseline = {
  name: "official",
  summary: "the official template: @socket.io/sticky and @socket.io/cluster-adapter",
  packages: ["socket.io", "@socket.io/sticky", "@socket.io/cluster-adapter"],
  settings: STICKY_SETTINGS,
  usesWorkers: true,
  ordersRooms: false,
  replacesWorkers: true,
  takesPort: true,
  start: (request) => startSticky({ ...request, worksAroundHandleBug: false, setUpAdapter: setupPrimary }),
  runWorker: async () => {
    const { io } = createAppServer(ownSlot(), { adapter: createAdapter() });
    serveSticky(io);
  },
};

export const officialPatched: Baseline = {
  ...official,
  name: "official-patched",
  summary: "the official template with its handle bug worked around, so that its speed can be measured at all",
  settings: [...STICKY_SETTINGS, HANDLE_FIX],
  start: (request) => startSticky({ ...request, worksAroundHandleBug: true, setUpAdapter: setupPrimary }),
};
