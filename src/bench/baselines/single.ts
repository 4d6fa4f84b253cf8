// One plain Socket.IO process: what everybody starts with. The second variant keeps sessions for those who come back,
// as allcores always does, so that the price of that can be told apart.

import type { ServerOptions } from "socket.io";
import { createAppServer, listen } from "./app-server.ts";
import type { Baseline, StartRequest } from "./baseline.ts";

export const single: Baseline = {
  name: "single",
  summary: "one plain Socket.IO process",
  packages: ["socket.io"],
  settings: [],
  usesWorkers: false,
  ordersRooms: true,
  replacesWorkers: false,
  takesPort: true,
  start: (request) => startSingle(request, {}),
};

export const singleRecovery: Baseline = {
  name: "single-recovery",
  summary: "one plain Socket.IO process that keeps sessions for two minutes",
  packages: ["socket.io"],
  settings: ["connectionStateRecovery: { maxDisconnectionDuration: 120_000 }"],
  usesWorkers: false,
  ordersRooms: true,
  replacesWorkers: false,
  takesPort: true,
  start: (request) => startSingle(request, { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } }),
};

async function startSingle({ port }: StartRequest, options: Partial<ServerOptions>) {
  const { io, httpServer } = createAppServer(0, options);
  const url = await listen(httpServer, port);
  return { urls: [url], pids: { socketWorker: [process.pid] }, close: () => io.close() };
}
