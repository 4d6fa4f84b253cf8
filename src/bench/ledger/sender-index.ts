// Who sends to which room. All load processes build it from the same list, so that a receiver can keep its place in
// every sender's numbers in a small array.

export interface SenderIndex {
  /** Position of a client among the senders to its room, by client id. */
  readonly slotOf: Int32Array;
  /** Client ids of the senders to a room, by slot. */
  readonly sendersTo: (room: number) => readonly number[];
}

/** `sendRooms` has the room that each client sends to, by client id; -1 for clients that never send. */
export function indexSenders(sendRooms: Int32Array): SenderIndex {
  const slotOf = new Int32Array(sendRooms.length).fill(-1);
  const byRoom = new Map<number, number[]>();
  for (const [client, room] of sendRooms.entries()) {
    if (room < 0) continue;
    const senders = byRoom.get(room) ?? [];
    byRoom.set(room, senders);
    slotOf[client] = senders.length;
    senders.push(client);
  }
  return { slotOf, sendersTo: (room) => byRoom.get(room) ?? [] };
}
