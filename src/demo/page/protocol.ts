// What page and server say to each other, and the bounds that both keep to: the page so that nobody types in vain,
// the server because a page can be anything.

export const LIMITS = {
  /** Characters of a name, a room and a message. */
  nameLength: 32,
  roomLength: 40,
  textLength: 4000,
  /** Messages of a room that a newcomer is given. */
  historyLength: 50,
  /** Deepest zoom of `/fractal`; further in, the numbers of a computer are too coarse. */
  maxZoom: 1e12,
} as const;

/** A Mandelbrot view and the tiles it is cut into. `zoom` 1 shows the whole set. */
export interface FractalView {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** Every view is drawn in this size; tiles are counted row by row. */
export const FRACTAL = { width: 1152, height: 768, tileSize: 192, columns: 6, tileCount: 24 } as const;

/** The worker that took a message, as people are shown it. */
export interface WorkerLabel {
  readonly slot: number;
  readonly pid: number;
}

export interface Author {
  readonly user: string;
  readonly name: string;
}

export interface ChatMessage {
  /** Made by the author's page, so that a repeated send is recognised. */
  readonly id: string;
  readonly author: Author;
  readonly text: string;
  /** The text as safe HTML. Absent when it could not be rendered: show the text. */
  readonly html?: string;
  /** Present when the message is a picture instead of a text. */
  readonly fractal?: FractalView;
  /** Milliseconds since 1970, by the worker's clock. */
  readonly at: number;
  readonly worker: WorkerLabel;
}

/** One finished tile: a byte a pixel (0 inside the set, else a place in the palette), deflated (RFC 1951). */
export interface FractalTile {
  readonly messageId: string;
  readonly index: number;
  readonly pixels: Uint8Array;
  /** Which thread of the pool computed it, and how long it took. */
  readonly thread: number;
  readonly durationMs: number;
}

/** The shape in which the box itself refuses things, too. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
}

export type Answer<T> = T | { readonly error: Refusal };

export interface JoinRequest {
  readonly room: string;
  /** Ignored when the connection carries a token: then the token says who it is. */
  readonly name: string;
  /** Random, kept by the browser, never shown: makes all its tabs one person. */
  readonly key: string;
}

/** One person in the room, over all their tabs and devices. */
export interface PresenceMember {
  readonly user: string;
  readonly info?: unknown;
  /** Tabs and devices. */
  readonly count: number;
}

/** Who is in a room; the next diff has the next version. */
export interface PresenceState {
  readonly version: number;
  readonly members: readonly PresenceMember[];
}

export interface PresenceDiff {
  readonly room: string;
  readonly version: number;
  readonly joined: readonly PresenceMember[];
  readonly left: readonly string[];
  readonly updated: readonly PresenceMember[];
}

export interface Joined {
  readonly room: string;
  readonly you: Author;
  readonly worker: WorkerLabel;
  /** Socket workers of the box. */
  readonly workers: number;
  readonly presence: PresenceState;
  readonly history: readonly ChatMessage[];
}

export interface SendRequest {
  readonly id: string;
  readonly text: string;
}

export interface Sent {
  readonly message: ChatMessage;
  /** Why the message could not be rendered. */
  readonly plain?: "busy" | "failed";
}

export interface DrawRequest {
  readonly messageId: string;
  /** The tiles that are missing. */
  readonly tiles: readonly number[];
}

export interface Drawn {
  readonly drawn: number;
}

/** What clients may send. */
export interface ClientEvents {
  join: (request: JoinRequest, ack: (answer: Answer<Joined>) => void) => void;
  send: (request: SendRequest, ack: (answer: Answer<Sent>) => void) => void;
  typing: () => void;
  /** "I have seen everything up to this message." */
  seen: (messageId: string) => void;
  /** Asks for tiles that this page did not get: it came later, or lost its worker while they were drawn. */
  draw: (request: DrawRequest, ack: (answer: Answer<Drawn>) => void) => void;
}

/** What clients get. */
export interface ServerEvents {
  /** Every page confirms: that is how the author learns how many it reached. */
  message: (message: ChatMessage, ack: (received: true) => void) => void;
  typing: (author: Author) => void;
  reached: (messageId: string, pages: number) => void;
  seen: (messageId: string, by: Author) => void;
  tile: (tile: FractalTile) => void;
  /** From the box itself: who came, went, or opened another tab. */
  "presence:diff": (diff: PresenceDiff) => void;
  /** Something that this page sent without asking for an answer was refused. */
  "allcores:error": (refusal: Refusal) => void;
}
