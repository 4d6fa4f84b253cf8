// Decides whether what a client sent is what it should be. Every function takes anything, and returns a clean value or
// throws a `ChatRefusal` whose message can be shown to the person who typed it.

import {
  type DrawRequest,
  FRACTAL,
  type FractalView,
  type JoinRequest,
  LIMITS,
  type Refusal,
  type SendRequest,
} from "./page/protocol.ts";

/** The demo's own refusals; the box's, `ALLCORES_ERR_*`, come in the same shape. */
export type RefusalCode =
  | "CHAT_ERR_NAME"
  | "CHAT_ERR_ROOM"
  | "CHAT_ERR_TEXT"
  | "CHAT_ERR_FRACTAL"
  | "CHAT_ERR_REQUEST"
  | "CHAT_ERR_NOT_JOINED"
  | "CHAT_ERR_TOO_FAST";

export class ChatRefusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }

  toRefusal(): Refusal {
    return { code: this.code, message: this.message };
  }
}

/** Letters, digits, signs and single spaces: no control characters, and none that turn the reading direction. */
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+( [\p{L}\p{M}\p{N}\p{P}\p{S}]+)*$/u;
const ROOM = /^[\p{L}\p{M}\p{N}]+([ _-][\p{L}\p{M}\p{N}]+)*$/u;
const KEY = /^[A-Za-z0-9_-]{16,64}$/;
const MESSAGE_ID = /^[A-Za-z0-9_-]{8,64}$/;
const FRACTAL_COMMAND = /^\/fractal(?:\s+(\S+)\s+(\S+)(?:\s+(\S+))?)?\s*$/i;

/** `subject` is the `sub` of the connection's token, which then is the name. */
export function parseJoin(value: unknown, subject?: unknown): JoinRequest {
  const { room, name, key } = Object(value) as Record<keyof JoinRequest, unknown>;
  if (typeof key !== "string" || !KEY.test(key)) throw badRequest("A key has 16 to 64 letters and digits.");
  return { room: parseRoom(room), name: parseName(subject ?? name), key };
}

export function parseName(value: unknown): string {
  const name = normalise(value, LIMITS.nameLength);
  if (name !== undefined && NAME.test(name)) return name;
  throw new ChatRefusal("CHAT_ERR_NAME", `A name has 1 to ${LIMITS.nameLength} characters, without line breaks.`);
}

/** Rooms that differ only in capitals are one room. */
export function parseRoom(value: unknown): string {
  const room = normalise(value, LIMITS.roomLength)?.toLowerCase();
  if (room !== undefined && room.length <= LIMITS.roomLength && ROOM.test(room)) return room;
  throw new ChatRefusal("CHAT_ERR_ROOM", `A room has 1 to ${LIMITS.roomLength} letters, digits, spaces, - and _.`);
}

export function parseSend(value: unknown): SendRequest {
  const { id, text } = Object(value) as Record<keyof SendRequest, unknown>;
  return { id: parseMessageId(id), text: parseText(text) };
}

export function parseMessageId(value: unknown): string {
  if (typeof value === "string" && MESSAGE_ID.test(value)) return value;
  throw badRequest("A message id has 8 to 64 letters and digits.");
}

export function parseDraw(value: unknown): DrawRequest {
  const { messageId, tiles } = Object(value) as Record<keyof DrawRequest, unknown>;
  const id = parseMessageId(messageId);
  if (!Array.isArray(tiles) || tiles.length > FRACTAL.tileCount || !tiles.every(isTileIndex)) {
    throw badRequest(`Tiles are numbers from 0 to ${FRACTAL.tileCount - 1}.`);
  }
  return { messageId: id, tiles: [...new Set<number>(tiles)] };
}

/** The view that a `/fractal` command asks for; `undefined` when the text is no such command. */
export function parseFractal(text: string): FractalView | undefined {
  if (!/^\/fractal\b/i.test(text)) return undefined;
  const parts = FRACTAL_COMMAND.exec(text);
  if (parts === null) throw badFractal();
  const [x, y, zoom] = [parts[1] ?? "-0.75", parts[2] ?? "0", parts[3] ?? "1"].map(Number) as [number, number, number];
  const isInBounds = Math.abs(x) <= 3 && Math.abs(y) <= 3 && zoom >= 0.5 && zoom <= LIMITS.maxZoom;
  if (!isInBounds) throw badFractal();
  return { x, y, zoom };
}

function parseText(value: unknown): string {
  const text = typeof value === "string" ? value.replace(/\p{Surrogate}/gu, "\uFFFD").trim() : "";
  if (text.length > 0 && text.length <= LIMITS.textLength) return text;
  throw new ChatRefusal("CHAT_ERR_TEXT", `A message has 1 to ${LIMITS.textLength} characters.`);
}

/** Spaces that look like one are one. Long input is given up on before any work is spent on it. */
function normalise(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== "string" || value.length > maxLength * 4) return undefined;
  const clean = value.normalize("NFKC").trim().replace(/ +/g, " ");
  return clean.length <= maxLength ? clean : undefined;
}

function isTileIndex(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < FRACTAL.tileCount;
}

function badRequest(message: string): ChatRefusal {
  return new ChatRefusal("CHAT_ERR_REQUEST", message);
}

function badFractal(): ChatRefusal {
  const range = `x and y between -3 and 3, zoom up to ${LIMITS.maxZoom.toLocaleString("en")}`;
  return new ChatRefusal("CHAT_ERR_FRACTAL", `Write /fractal, or /fractal x y zoom (${range}).`);
}
