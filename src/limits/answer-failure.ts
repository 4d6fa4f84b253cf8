// What a client is told when a handler of one of its events failed.

import { sendError } from "./refusal.ts";
import { HANDLER_FAILED, type ServerGuard } from "./server-guard.ts";
import type { Callback, SocketInternals } from "./socket-io.ts";

/** Acks that a client asked for: an app may have put functions of its own among an event's arguments. */
const clientAcks = new WeakSet<Callback>();

/** The ack of an event, known from now on as one that a client waits for. */
export function clientAck(socket: SocketInternals, id: number): Callback {
  const ack = socket.ack(id);
  clientAcks.add(ack);
  return ack;
}

/** The client hears of it once: through the ack it asked for, unless the handler has called that already. */
export function answerFailure(
  guard: ServerGuard,
  socket: SocketInternals,
  event: readonly unknown[],
  error: unknown,
): void {
  const [name] = event;
  guard.handlerFailed(error, { namespace: socket.nsp.name, ...(typeof name === "string" && { event: name }) });
  const ack = event.find((argument): argument is Callback => clientAcks.has(argument as Callback));
  if (ack === undefined) sendError(socket, HANDLER_FAILED, name);
  else ack({ error: HANDLER_FAILED });
}
