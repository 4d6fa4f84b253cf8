// Whether a value from a file describes an app protocol.

import { AllcoresError } from "../errors.ts";
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

/** Narrows what a file holds. Fails with ALLCORES_ERR_USAGE, naming the field. */
export function checkProtocol(value: unknown): AppProtocol {
  if (!isRecord(value)) throw protocolError("a protocol must be an object.");
  const { name, path, query, auth, sendersHear, events } = value;
  if (typeof name !== "string" || name === "") throw protocolError("a protocol needs a `name`.");
  if (path !== undefined && (typeof path !== "string" || !path.startsWith("/")))
    throw protocolError("`path` must begin with /.");
  if (query !== undefined && !isRecord(query)) throw protocolError("`query` must be an object.");
  if (sendersHear !== undefined && typeof sendersHear !== "boolean") {
    throw protocolError("`sendersHear` must be true or false.");
  }
  if (auth !== undefined && !isRecord(auth)) throw protocolError("`auth` must be an object.");
  if (!isRecord(events)) throw protocolError("a protocol needs `events`.");
  for (const [kind, template] of Object.entries(events)) checkTemplate(kind, template);
  return value as unknown as AppProtocol;
}

function checkTemplate(kind: string, template: unknown): asserts template is EventTemplate {
  if (!(CLIENT_EVENTS as readonly string[]).includes(kind)) {
    throw protocolError(`\`events.${kind}\` is not a kind of traffic; there are ${CLIENT_EVENTS.join(", ")}.`);
  }
  if (!isRecord(template) || typeof template.event !== "string" || !Array.isArray(template.args)) {
    throw protocolError(`\`events.${kind}\` needs an \`event\` and a list of \`args\`.`);
  }
  if (![undefined, true, false, "always"].includes(template.ack as boolean)) {
    throw protocolError(`\`events.${kind}.ack\` must be true, false or "always".`);
  }
  const carriesPayload = kind !== "join" && kind !== "hello";
  if (carriesPayload && !JSON.stringify(template.args).includes('"$payload"')) {
    throw protocolError(`\`events.${kind}.args\` must hold "$payload" once: the ledger reads it.`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function protocolError(message: string, cause?: unknown): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", `App protocol: ${message}`, { cause });
}
