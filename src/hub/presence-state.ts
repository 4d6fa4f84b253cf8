// Who is in which room, as plain values: it is saved with the hub's state when the box stops.

export interface PresenceState {
  /** The highest version of rooms that are no more. */
  readonly lastVersion: number;
  readonly rooms: readonly PresenceRoomState[];
}

export interface PresenceRoomState {
  readonly name: string;
  readonly version: number;
  /** Each with the connections it had: all of them are lost with the box, and may return. */
  readonly members: readonly { readonly user: string; readonly info: unknown; readonly count: number }[];
}
