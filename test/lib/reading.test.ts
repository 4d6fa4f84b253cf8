import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { handleOf, startReading, stopReading } from "../../src/lib/reading.ts";

let server: Server;
let client: Socket;
let accepted: Socket;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = once(server, "connection");
  client = createConnection((server.address() as AddressInfo).port, "127.0.0.1");
  [accepted] = (await connection) as [Socket];
});

afterEach(() => {
  client.destroy();
  accepted.destroy();
  server.close();
});

describe("a connection whose reading was stopped", () => {
  // The stream asked for more on the tick after its data, and one client in some thousands hung for ever.
  test("leaves in the kernel what the client sends afterwards, however many ticks pass", async () => {
    const head = new Promise<void>((resolve) => {
      accepted.once("data", () => {
        stopReading(accepted);
        resolve();
      });
    });
    client.write("head");
    await head;
    for (let tick = 0; tick < 5; tick++) await new Promise((resolve) => setImmediate(resolve));

    await new Promise((resolve) => client.write("body", resolve));
    for (let tick = 0; tick < 5; tick++) await new Promise((resolve) => setImmediate(resolve));

    expect(handleOf(accepted)?.reading).toBe(false);
    expect(accepted.bytesRead).toBe("head".length);
  });

  test("can be read again when it goes to no worker after all", async () => {
    accepted.once("data", () => stopReading(accepted));
    client.write("head");
    await once(accepted, "pause");

    const rest = once(accepted, "data");
    client.write("body");
    startReading(accepted);

    expect(String((await rest)[0])).toBe("body");
  });
});
