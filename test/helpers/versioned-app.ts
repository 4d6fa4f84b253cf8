// An app on disk that a test deploys new versions of.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface VersionedApp {
  readonly path: string;
  /** Writes a version that answers with its name. `atBoot` is code that runs when a worker loads it. */
  readonly deploy: (version: string, atBoot?: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export async function createVersionedApp(): Promise<VersionedApp> {
  const folder = await mkdtemp(join(tmpdir(), "allcores-app-"));
  const path = join(folder, "app.mjs");
  const deploy = (version: string, atBoot = ""): Promise<void> => writeFile(path, sourceOf(version, atBoot));
  await deploy("old");
  return { path, deploy, remove: () => rm(folder, { recursive: true }) };
}

function sourceOf(version: string, atBoot: string): string {
  return `
export default {
  http: (_req, res) => res.end("${version}"),
  setup(io, box) {
    ${atBoot}
    io.on("connection", (socket) => {
      socket.emit("welcome", { version: "${version}", slot: box.slot, pid: process.pid });
      socket.on("grow", (bytes) => {
        socket.data.kept = Buffer.alloc(bytes, 1);
      });
      socket.on("slow", (ms, ack) => setTimeout(() => ack("${version}"), ms));
    });
  },
};
`;
}
