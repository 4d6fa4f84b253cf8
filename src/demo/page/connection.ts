// The one connection of the page: joins again after every return, and says in words how it stands.

import type { Socket } from "socket.io-client";
import { byId, setText } from "./dom.ts";
import type { Answer, ClientEvents, Joined, JoinRequest, Refusal, ServerEvents } from "./protocol.ts";

/** From `/socket.io/socket.io.min.js`, which Socket.IO serves beside this page. */
declare const io: typeof import("socket.io-client").io;

const JOIN_TIMEOUT_MS = 10_000;
const BACK_AGAIN_MS = 4000;
const UNREACHABLE = "The box does not answer. Trying again…";

export type ChatConnection = Socket<ServerEvents, ClientEvents>;

export interface ConnectionHooks {
  readonly onJoined: (joined: Joined) => void;
  /** The box does not let this person in, or not with this request: back to the door. */
  readonly onRefused: (refusal: Refusal) => void;
  /** Nobody answers; it is being tried again. */
  readonly onUnreachable: (words: string) => void;
}

export class Connection {
  readonly socket: ChatConnection;
  readonly #hooks: ConnectionHooks;
  readonly #banner = byId("banner", HTMLParagraphElement);
  #request: JoinRequest | undefined;
  #token: string | undefined;
  #isJoined = false;
  #bannerTimer: number | undefined;

  constructor(hooks: ConnectionHooks) {
    this.#hooks = hooks;
    this.socket = io({
      autoConnect: false,
      reconnectionDelay: 300,
      reconnectionDelayMax: 3000,
      auth: (send) => send(this.#token === undefined ? {} : { token: this.#token }),
    });
    this.socket.on("connect", () => void this.#join());
    this.socket.on("disconnect", (reason) => this.#onDisconnect(reason));
    this.socket.on("connect_error", (error) => this.#onConnectError(error));
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  open(request: JoinRequest, token: string | undefined): void {
    this.#request = request;
    this.#token = token;
    if (this.socket.connected) void this.#join();
    else this.socket.connect();
  }

  /** Asks for everything again: something was missed. */
  rejoin(): void {
    if (this.#isJoined) void this.#join();
  }

  close(): void {
    this.#request = undefined;
    this.#isJoined = false;
    this.socket.disconnect();
    this.#showBanner("");
  }

  async #join(): Promise<void> {
    if (this.#request === undefined) return;
    let answer: Answer<Joined>;
    try {
      answer = await this.socket.timeout(JOIN_TIMEOUT_MS).emitWithAck("join", this.#request);
    } catch {
      // No answer in time. If the connection broke, its return joins again; if it did not, it is of no use.
      if (this.socket.connected) this.socket.io.engine.close();
      return;
    }
    if ("error" in answer) {
      this.close();
      this.#hooks.onRefused(answer.error);
      return;
    }
    this.#isJoined = true;
    this.#hooks.onJoined(answer);
    if (!this.#banner.hidden) this.#showBanner(`Back again, now on worker ${answer.worker.slot}.`, BACK_AGAIN_MS);
  }

  #onDisconnect(reason: string): void {
    this.#isJoined = false;
    if (this.#request === undefined) return;
    this.#showBanner("Connection lost. Trying to reconnect…");
    // Socket.IO does not come back by itself when the server sent it away.
    if (reason === "io server disconnect") this.socket.connect();
  }

  #onConnectError(error: Error & { data?: { code?: string } }): void {
    const code = error.data?.code;
    if (code !== undefined) {
      this.close();
      this.#hooks.onRefused({ code, message: error.message });
    } else if (this.#request !== undefined) {
      this.#showBanner(UNREACHABLE);
      this.#hooks.onUnreachable(UNREACHABLE);
    }
  }

  #showBanner(text: string, forMs?: number): void {
    clearTimeout(this.#bannerTimer);
    this.#banner.classList.toggle("good", forMs !== undefined);
    setText(this.#banner, text);
    if (forMs !== undefined) this.#bannerTimer = setTimeout(() => setText(this.#banner, ""), forMs);
  }
}
