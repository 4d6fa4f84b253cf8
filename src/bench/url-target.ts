// A server that somebody else runs: it can be loaded, but neither looked into nor controlled.

import type { TargetKind } from "./targets.ts";

export function urlTarget(url: string): TargetKind {
  const { origin } = new URL(url);
  return {
    name: new URL(url).host,
    summary: `the server at ${origin}`,
    packages: [],
    settings: [],
    usesWorkers: false,
    can: { reload: false, killWorker: false },
    start: async () => ({ name: new URL(url).host, urls: [origin], control: { stop: async () => {} } }),
  };
}
