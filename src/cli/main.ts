#!/usr/bin/env node
// The entry of the CLI. It imports nothing before it knows that this Node can load the rest.

import { refuseNode } from "./node-version.ts";

const refusal = refuseNode(process.versions.node);
if (refusal !== undefined) {
  process.stderr.write(`allcores: ${refusal}\n`);
  process.exit(78);
}

const { runCli } = await import("./run.ts");

// A reader that leaves early, as in `allcores config | head`, is no crash.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

process.exit(await runCli(process.argv.slice(2), { out: process.stdout, err: process.stderr }));
