// A client that polls, one request at a time, over connections of its own choice.

import { Agent, request } from "node:http";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface HttpQuestion {
  readonly method?: string;
  readonly body?: Buffer | string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

export function ask(url: string, { method = "GET", body, headers, agent }: HttpQuestion = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options = { method, agent: agent ?? new Agent(), headers: { ...lengthOf(body), ...headers } };
    const req = request(url, options, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("error", reject);
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }));
    });
    req.on("error", reject);
    req.end(body);
  });
}

/** Begins a session that polls, and joins the main namespace. */
export async function beginPolling(url: string, agent?: Agent, query = ""): Promise<PollingSession> {
  const { body } = await ask(`${url}/socket.io/?EIO=4&transport=polling${query}`, agentOf(agent));
  const { sid } = JSON.parse(body.toString().slice(1)) as { sid: string };
  const session = new PollingSession(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, sid, agent);
  await session.post("40");
  await session.next("40{");
  return session;
}

export class PollingSession {
  readonly url: string;
  readonly sid: string;
  readonly #agent: Agent | undefined;
  readonly #packets: string[] = [];

  constructor(url: string, sid: string, agent: Agent | undefined) {
    this.url = url;
    this.sid = sid;
    this.#agent = agent;
  }

  post(body: Buffer | string): Promise<HttpAnswer> {
    return ask(this.url, { method: "POST", body, ...agentOf(this.#agent) });
  }

  poll(): Promise<HttpAnswer> {
    return ask(this.url, agentOf(this.#agent));
  }

  /** Polls until a packet begins with `prefix`, and gives that one. Those before it are kept. */
  async next(prefix: string): Promise<string> {
    for (;;) {
      const at = this.#packets.findIndex((packet) => packet.startsWith(prefix));
      const [found] = at === -1 ? [] : this.#packets.splice(at, 1);
      if (found !== undefined) return found;
      const { status, body } = await this.poll();
      if (status !== 200) throw new Error(`A poll was answered ${status} ${body}.`);
      this.#packets.push(...body.toString().split("\x1e"));
    }
  }
}

function agentOf(agent: Agent | undefined): { agent?: Agent } {
  return agent === undefined ? {} : { agent };
}

function lengthOf(body: Buffer | string | undefined): Record<string, string> {
  return body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
}
