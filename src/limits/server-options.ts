// The Socket.IO options of a guarded server: the box's limits first, then what the app asks for.

import type { ServerOptions } from "socket.io";
import * as defaultParser from "socket.io-parser";
import type { Options } from "../options/options.ts";

/**
 * The app's own values win, and open no hole: its `parser` is guarded like the default one, its `allowRequest` is asked
 * after the origin has been checked, its `cors` only says which answers a browser shows to a page.
 */
export function guardedServerOptions(appOptions: Partial<ServerOptions>, { limits }: Options): Partial<ServerOptions> {
  const origins = limits.origins.filter((origin) => origin !== "same");
  return {
    maxHttpBufferSize: limits.maxPayloadBytes,
    parser: boundedParser(limits.maxAttachments),
    // A page of the box's own host needs no CORS header.
    ...(origins.length > 0 && { cors: { origin: origins } }),
    ...appOptions,
  };
}

/** Attachments are collected before there is a packet to look at: the parser itself must know how many it may take. */
function boundedParser(maxAttachments: number): object {
  class BoundedDecoder extends defaultParser.Decoder {
    constructor() {
      super({ maxAttachments });
    }
  }
  return { ...defaultParser, Decoder: BoundedDecoder };
}
