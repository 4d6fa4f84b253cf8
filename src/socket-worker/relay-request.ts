// Sends a request again, to the router's unix socket, and gives its answer to the client: both ways as it comes.

import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import { RELAY_HEADER, RELEASE_HEADER } from "../bus/relay.ts";

/** A connection to another worker that is not used is closed here, long before that worker would. */
const IDLE_MS = 20_000;

// They are for one connection (RFC 9110, section 7.6.1), or were seen to already.
const NOT_PASSED_ON = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  RELAY_HEADER,
  RELEASE_HEADER,
]);

/** The way to the worker that a request is for. */
export interface RelayWay {
  readonly socketPath: string;
  /** The value of the header that lets it in. */
  readonly pass: string;
  /** Requests of one group share kept connections, so all of them must be for one worker. None: a connection of its own. */
  readonly group: string | undefined;
}

export interface RelayRequest extends RelayWay {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The answer is about to be written. */
  readonly onAnswer: () => void;
  /** Nobody has answered, and nothing has been written. */
  readonly onFailure: () => void;
}

export class RelayRequests {
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MS });

  send({ req, res, onAnswer, onFailure, ...way }: RelayRequest): void {
    const outgoing = this.#open(way, req.method, req.url, passedOn(req));
    outgoing.on("response", (answer) => {
      onAnswer();
      answerWith(answer, res);
    });
    outgoing.on("error", () => {
      req.unpipe(outgoing);
      if (res.headersSent || res.destroyed) res.destroy();
      else onFailure();
    });
    endTogether(outgoing, res);
    req.pipe(outgoing);
  }

  /** Asks the owner of a session to answer its poll. Whether that works is seen when the answer comes. */
  release(url: string | undefined, way: RelayWay): void {
    const outgoing = this.#open(way, "GET", url, ["Host", "box", RELEASE_HEADER, ""]);
    outgoing.on("response", (answer) => answer.resume());
    outgoing.on("error", () => {});
    outgoing.end();
  }

  #open({ socketPath, pass, group }: RelayWay, method?: string, path?: string, headers: string[] = []): ClientRequest {
    return request({
      socketPath,
      // Names the group of connections; where they go is the path of the socket.
      host: group ?? "",
      agent: group === undefined ? false : this.#agent,
      method,
      path,
      headers: [...headers, RELAY_HEADER, pass],
    });
  }
}

/** The headers of a request, with what frames its body: the parser has made sure that it is a length or chunks. */
function passedOn({ rawHeaders, headers }: IncomingMessage): string[] {
  const framing = headers["transfer-encoding"] === undefined ? [] : ["Transfer-Encoding", "chunked"];
  return [...withoutHops(rawHeaders), ...framing];
}

function withoutHops(rawHeaders: readonly string[]): string[] {
  const headers: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = rawHeaders.slice(i, i + 2);
    if (!NOT_PASSED_ON.has(name.toLowerCase())) headers.push(name, value);
  }
  return headers;
}

function answerWith(answer: IncomingMessage, res: ServerResponse): void {
  answer.on("error", () => res.destroy());
  res.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHops(answer.rawHeaders));
  answer.pipe(res);
}

/** The client is gone before its answer was whole: its request ends too, which tells the owner. */
function endTogether(outgoing: ClientRequest, res: ServerResponse): void {
  res.once("close", () => {
    if (!res.writableFinished) outgoing.destroy();
  });
}
