// Which events to send to which app: the bench app, the demo, or what a JSON file says.

import { readFile } from "node:fs/promises";
import { toError } from "../errors.ts";
import { checkProtocol, protocolError } from "./check-protocol.ts";
import type { AppProtocol } from "./contract.ts";

/** Spoken by `bench-app.ts`. */
export const BENCH_PROTOCOL: AppProtocol = {
  name: "bench",
  query: { user: "$user" },
  events: {
    join: { event: "join", args: ["$room"], ack: true },
    hello: { event: "hello", args: [], ack: true },
    publish: { event: "publish", args: ["$room", "$payload"], ack: true },
    direct: { event: "direct", args: ["$target", "$payload"] },
    broadcast: { event: "broadcast", args: ["$payload"] },
    echo: { event: "echo", args: ["$payload"], ack: true },
    ask: { event: "ask", args: ["$room", "$payload"], ack: true },
    work: { event: "work", args: ["$payload"], ack: true },
    workPool: { event: "workPool", args: ["$payload"], ack: true },
  },
};

/** Spoken by the demo chat that `allcores start` runs without an app. */
export const DEMO_PROTOCOL: AppProtocol = {
  name: "demo",
  // The author's page has the message from the ack.
  sendersHear: false,
  events: {
    join: { event: "join", args: [{ room: "$room", name: "$user", key: "allcores-bench-$user" }], ack: true },
    publish: { event: "send", args: [{ id: "$id", text: "$payload" }], ack: "always" },
  },
};

const BY_NAME = new Map([BENCH_PROTOCOL, DEMO_PROTOCOL].map((protocol) => [protocol.name, protocol]));

/** The protocol of a name (`bench`, `demo`) or of a JSON file. Fails with ALLCORES_ERR_USAGE. */
export async function loadProtocol(nameOrFile: string): Promise<AppProtocol> {
  const known = BY_NAME.get(nameOrFile);
  if (known !== undefined) return known;
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(nameOrFile, "utf8"));
  } catch (cause) {
    const why = toError(cause).message;
    throw protocolError(`"${nameOrFile}" is neither a known protocol nor a JSON file: ${why}`, cause);
  }
  return checkProtocol(parsed);
}
