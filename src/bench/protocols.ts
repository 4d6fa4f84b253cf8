// Which events to send to which app: the bench app, the demo, or what a JSON file says.

import { readFile } from "node:fs/promises";
import { AllcoresError, toError } from "../errors.ts";
import type { AppProtocol, ClientEvent, EventTemplate } from "./contract.ts";

const CLIENT_EVENTS: readonly ClientEvent[] = [
  "join",
  "hello",
  "publish",
  "direct",
  "broadcast",
  "echo",
  "ask",
  "work",
  "workPool",
];

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

/** The protocol of a name (`bench`) or of a JSON file. Fails with ALLCORES_ERR_USAGE. */
export async function loadProtocol(nameOrFile: string): Promise<AppProtocol> {
  if (nameOrFile === BENCH_PROTOCOL.name) return BENCH_PROTOCOL;
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(nameOrFile, "utf8"));
  } catch (cause) {
    throw usage(`"${nameOrFile}" is neither a known protocol nor a JSON file: ${toError(cause).message}`, cause);
  }
  return checkProtocol(parsed);
}

/** Narrows what a file holds. Fails with ALLCORES_ERR_USAGE, naming the field. */
export function checkProtocol(value: unknown): AppProtocol {
  if (!isRecord(value)) throw usage("a protocol must be an object.");
  const { name, path, query, auth, events } = value;
  if (typeof name !== "string" || name === "") throw usage("a protocol needs a `name`.");
  if (path !== undefined && (typeof path !== "string" || !path.startsWith("/")))
    throw usage("`path` must begin with /.");
  if (query !== undefined && !isRecord(query)) throw usage("`query` must be an object.");
  if (auth !== undefined && !isRecord(auth)) throw usage("`auth` must be an object.");
  if (!isRecord(events)) throw usage("a protocol needs `events`.");
  for (const [kind, template] of Object.entries(events)) checkTemplate(kind, template);
  return value as unknown as AppProtocol;
}

function checkTemplate(kind: string, template: unknown): asserts template is EventTemplate {
  if (!(CLIENT_EVENTS as readonly string[]).includes(kind)) {
    throw usage(`\`events.${kind}\` is not a kind of traffic; there are ${CLIENT_EVENTS.join(", ")}.`);
  }
  if (!isRecord(template) || typeof template.event !== "string" || !Array.isArray(template.args)) {
    throw usage(`\`events.${kind}\` needs an \`event\` and a list of \`args\`.`);
  }
  const carriesPayload = kind !== "join" && kind !== "hello";
  if (carriesPayload && !JSON.stringify(template.args).includes('"$payload"')) {
    throw usage(`\`events.${kind}.args\` must hold "$payload" once: the ledger reads it.`);
  }
}

/** A template with its `$` strings replaced. */
export function fillTemplate(template: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof template === "string") return values[template] ?? template;
  if (Array.isArray(template)) return template.map((item) => fillTemplate(item, values));
  if (!isRecord(template)) return template;
  return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, fillTemplate(item, values)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function usage(message: string, cause?: unknown): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", `App protocol: ${message}`, { cause });
}
