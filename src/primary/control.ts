// The control socket of a box: how `allcores status`, `stop` and `reload` speak with it. Its user alone can open it.
//
//   client  {"verb":"stop"}
//   box     {"progress":...}   any number of times
//   box     {"result":...}  or  {"error":{"code":...,"message":...}}
//
// The box leaves closing to the client, so that one that asked for the end sees the process end.

import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { toWireError, type WireError } from "../bus/messages.ts";
import { AllcoresError, clauseOf } from "../errors.ts";
import { settledWithin } from "../lib/deadline.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { probeSocket } from "../lib/unix-socket.ts";
import { readJsonLines, writeJsonLine } from "./json-lines.ts";

/** Does one verb; what it resolves to is the answer. `progress` goes to the client at once. */
export type ControlHandler = (progress: (value: unknown) => void) => Promise<unknown>;

export interface ControlServerOptions {
  readonly path: string;
  /** One entry a verb. */
  readonly handlers: Readonly<Record<string, ControlHandler>>;
}

export type ControlAnswer =
  | { readonly progress: unknown }
  | { readonly result: unknown }
  | { readonly error: WireError };

const MAX_REQUEST_BYTES = 4096;
const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 5000;
/** How long closing waits for answers that are due. */
const ANSWER_TIMEOUT_MS = 500;

export class ControlServer extends Lifecycle {
  readonly #options: ControlServerOptions;
  readonly #server: Server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  readonly #answering = new Set<Promise<void>>();

  constructor(options: ControlServerOptions) {
    super();
    this.#options = options;
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Rejects with `ALLCORES_ERR_LISTEN` when a living box has the path; the socket of a dead one is replaced. */
  protected override async onStart(): Promise<void> {
    const { path } = this.#options;
    await refuseLiveBox(path);
    await rm(path, { force: true });
    try {
      this.#server.listen(path);
      await once(this.#server, "listening");
    } catch (error) {
      const message = `The control socket ${path} cannot be opened: ${clauseOf(error)}.`;
      throw new AllcoresError("ALLCORES_ERR_LISTEN", message, { cause: error });
    }
    await chmod(path, 0o600);
  }

  /** Takes no new clients. Those that wait for the end keep their connection until the process is gone. */
  protected override async onClose(): Promise<void> {
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#sockets) socket.unref();
    await settledWithin(Promise.all(this.#answering), ANSWER_TIMEOUT_MS);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    readJsonLines(socket, MAX_REQUEST_BYTES, (request) => {
      clearTimeout(timer);
      const answering = this.#answer(socket, request);
      this.#answering.add(answering);
      void answering.then(() => this.#answering.delete(answering));
    });
  }

  async #answer(socket: Socket, request: unknown): Promise<void> {
    const verb = String(Object(request).verb);
    const reply = (answer: ControlAnswer): void => writeJsonLine(socket, answer);
    try {
      const result = await this.#handlerOf(verb)((progress) => reply({ progress }));
      reply({ result });
    } catch (error) {
      reply({ error: toWireError(error) });
    }
  }

  #handlerOf(verb: string): ControlHandler {
    const { handlers } = this.#options;
    const handler = Object.hasOwn(handlers, verb) ? handlers[verb] : undefined;
    if (handler !== undefined) return handler;
    throw new AllcoresError(
      "ALLCORES_ERR_USAGE",
      `The running box does not know "${verb}". Is it of another version than this CLI? \`allcores status\` tells.`,
    );
  }
}

/** Rejects with `ALLCORES_ERR_LISTEN` when a box answers at `path`. */
export async function refuseLiveBox(path: string): Promise<void> {
  if ((await probeSocket(path)) !== undefined) return;
  throw new AllcoresError(
    "ALLCORES_ERR_LISTEN",
    `A box is already running (its control socket is ${path}). Stop it with \`allcores stop\` and the same --admin-port, or give this one another --port and --admin-port.`,
  );
}
