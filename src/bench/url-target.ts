// A server that somebody else runs: it can be loaded, but neither looked into nor controlled.

import type { TargetKind } from "./targets.ts";

export function urlTarget(url: string): TargetKind {
  const { origin, host } = new URL(url);
  return {
    name: host,
    summary: `the server at ${origin}`,
    packages: [],
    settings: [],
    usesWorkers: false,
    // Stock Socket.IO on several workers does not: what is found is counted, and `--no-loss` makes it an error.
    ordersRooms: false,
    can: { reload: false, killWorker: false },
    start: async () => ({ name: host, urls: [origin], ordersRooms: false, control: { stop: async () => {} } }),
  };
}
