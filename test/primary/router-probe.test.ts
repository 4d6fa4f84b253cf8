import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { acceptsConnections } from "../../src/primary/router-probe.ts";
import { portOf } from "../helpers/clients.ts";

let server: Server | undefined;

afterEach(() => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))));

async function listen(host: string, onAccepted: () => void): Promise<number> {
  const listening = createServer((socket) => {
    onAccepted();
    socket.destroy();
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, host, resolve));
  return portOf(listening.address());
}

describe("a router is well", () => {
  test.each(["127.0.0.1", "0.0.0.0"])("that accepts on %s", async (host) => {
    let accepted = 7;
    const port = await listen(host, () => accepted++);

    const isWell = await acceptsConnections({ url: `http://${host}:${port}`, accepted: () => accepted });

    expect(isWell).toBe(true);
  });

  test("no more when nothing takes what the kernel has accepted", async () => {
    const port = await listen("127.0.0.1", () => {});

    const isWell = await acceptsConnections({ url: `http://127.0.0.1:${port}`, accepted: () => 7, timeoutMs: 200 });

    expect(isWell).toBe(false);
  });

  test("nor when its port is closed", async () => {
    const port = await listen("127.0.0.1", () => {});
    server?.close();

    const isWell = await acceptsConnections({ url: `http://127.0.0.1:${port}`, accepted: () => 7, timeoutMs: 200 });

    expect(isWell).toBe(false);
  });
});
