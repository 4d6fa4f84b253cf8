// What the router reads from a request head: its first line, and from that the session id.
// The headers stay unread: the worker's parser is the judge of those.

import { sessionIdIn } from "../lib/request-target.ts";
import { type WorkerName, workerOfSessionId } from "../lib/session-id.ts";

export interface RequestLine {
  readonly method: string;
  /** As sent: origin-form or absolute-form. */
  readonly target: string;
}

// token SP target SP version (RFC 9112, section 3); empty lines before it are allowed (section 2.2).
const REQUEST_LINE = /^(?:\r\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.[01]\r\n/;

/** The request line of a complete head, or `undefined` when it is malformed. */
export function parseRequestLine(head: Buffer): RequestLine | undefined {
  const match = REQUEST_LINE.exec(head.toString("latin1"));
  const [, method, target] = match ?? [];
  return method === undefined || target === undefined ? undefined : { method, target };
}

/** The worker whose Engine.IO session the request belongs to, if it names one. */
export function sessionWorkerOf(target: string): WorkerName | undefined {
  const id = sessionIdIn(target);
  return id === undefined ? undefined : workerOfSessionId(id);
}
