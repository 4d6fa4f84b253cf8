// The primary's end of the counts: hears which tickets workers are done with, and answers those that want one more.

import type { Peers } from "../../bus/peers.ts";
import type { ConnectionRefusal } from "../../lib/connection-refusal.ts";
import type { Admission } from "./admission.ts";

export interface ServeTicketsOptions {
  readonly peers: Peers;
  readonly admission: Admission;
  readonly onRefused: (refusal: ConnectionRefusal) => void;
}

export function serveTickets({ peers, admission, onRefused }: ServeTicketsOptions): void {
  // Beside the exit of its process, which may be known before its last words are read.
  peers.on("leave", (peer) => admission.gone(peer));
  peers.on("message", (peer, message) => {
    if (peer.role !== "socket-worker") return;
    if (message.type === "ticketsClosed") admission.closed(peer, message.tickets);
    if (message.type !== "ticketWanted") return;
    const { question, address } = message;
    const ticket = admission.issue(peer, address);
    if (typeof ticket === "number") peer.connection.send({ type: "ticket", question, ticket });
    else {
      onRefused(ticket);
      peer.connection.send({ type: "ticket", question, refusal: ticket });
    }
  });
}
