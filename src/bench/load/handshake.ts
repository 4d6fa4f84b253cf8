// What one client says of itself when it connects: the address it comes from, its query parameters, its auth.

import { fillTemplate, type TemplateValues } from "../fill-template.ts";
import { type ClientSpec, type LoadScript, roomName, userName } from "./script.ts";

export interface Handshake {
  readonly url: URL;
  /** Source address; `undefined` where the system chooses. */
  readonly localAddress: string | undefined;
  /** Path and query of the request. */
  readonly target: string;
  /** The `auth` of the CONNECT packet. */
  readonly auth: unknown;
  /** What stands for the client in the app's other templates. */
  readonly values: TemplateValues;
}

/** Many addresses of this machine: one alone has some 28,000 ports, and servers may count by address. */
const SOURCE_ADDRESSES = 50;

export function composeHandshake({ id, room }: ClientSpec, { protocol, tellsRoom }: LoadScript, url: URL): Handshake {
  const values = { user: userName(id), room: roomName(room) };
  const query = new URLSearchParams({ EIO: "4", transport: "websocket" });
  for (const [name, template] of Object.entries(protocol.query ?? {})) {
    query.set(name, String(fillTemplate(template, values)));
  }
  if (tellsRoom && room >= 0) query.set("room", roomName(room));
  return {
    url,
    localAddress: url.hostname.startsWith("127.") ? `127.0.0.${2 + (id % SOURCE_ADDRESSES)}` : undefined,
    target: `${protocol.path ?? "/socket.io/"}?${query}`,
    auth: protocol.auth && fillTemplate(protocol.auth, values),
    values,
  };
}
