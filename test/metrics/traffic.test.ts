import { EventEmitter, once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type ServerOptions } from "socket.io";
import { io as connect, type Socket } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { Traffic } from "../../src/metrics/traffic.ts";

let http: HttpServer;
let io: Server;
let traffic: Traffic;
let client: Socket;

afterEach(async () => {
  client.disconnect();
  await io.close();
});

async function serve(
  transports: string[],
  options: Pick<Partial<ServerOptions>, "parser" | "pingInterval"> = {},
): Promise<void> {
  http = createServer();
  io = new Server(http, options);
  traffic = new Traffic(io);
  io.on("connection", (socket) => {
    socket.on("echo", (value, ack) => ack(value));
    socket.on("leave", () => socket.conn.close());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  client = connect(urlOf(http), { parser: options.parser, transports, reconnection: false });
  await once(client as unknown as NodeJS.EventEmitter, "connect");
}

function urlOf(server: HttpServer): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The values of a metric by the label that tells its series apart, or its only value. */
function read(name: string, label?: string): unknown {
  const { values = [] } = traffic.families({ slot: 3 }).find((family) => family.name === name) ?? {};
  for (const { labels } of values) expect(labels.slot).toBe(3);
  if (label === undefined) return values[0]?.value;
  return Object.fromEntries(
    values.filter(({ value }) => value !== 0).map(({ labels, value }) => [labels[label], value]),
  );
}

describe("Traffic", () => {
  test.each(["websocket", "polling"])("counts each Socket.IO packet once over %s", async (transport) => {
    await serve([transport]);

    await client.emitWithAck("echo", "hello");

    // CONNECT and EVENT came in, CONNECT and ACK went out.
    expect(read("allcores_messages_received_total")).toBe(2);
    expect(read("allcores_messages_sent_total")).toBe(2);
    expect(read("allcores_connections", "transport")).toEqual({ [transport]: 1 });
    expect(read("allcores_connects_total", "transport")).toEqual({ [transport]: 1 });
  });

  test("counts bytes as they are in UTF-8", async () => {
    await serve(["websocket"]);
    const before = [read("allcores_received_bytes_total"), read("allcores_sent_bytes_total")] as number[];

    await client.emitWithAck("echo", "ü");
    const after = [read("allcores_received_bytes_total"), read("allcores_sent_bytes_total")] as number[];

    expect(after[0] - before[0]).toBe(Buffer.byteLength('20["echo","ü"]'));
    expect(after[1] - before[1]).toBe(Buffer.byteLength('30["ü"]'));
  });

  test("counts a packet with attachments as one message and its attachments as bytes", async () => {
    await serve(["websocket"]);
    const before = read("allcores_received_bytes_total") as number;

    await client.emitWithAck("echo", [Buffer.alloc(1000), Buffer.alloc(500)]);

    expect(read("allcores_messages_received_total")).toBe(2);
    expect(read("allcores_messages_sent_total")).toBe(2);
    expect((read("allcores_received_bytes_total") as number) - before).toBeGreaterThan(1500);
  });

  test("moves a session to its new transport when it upgrades", async () => {
    await serve(["polling", "websocket"]);

    if (client.io.engine.transport.name !== "websocket") {
      await once(client.io.engine as unknown as NodeJS.EventEmitter, "upgrade");
    }
    await client.emitWithAck("echo", 1);

    expect(read("allcores_connections", "transport")).toEqual({ websocket: 1 });
    expect(read("allcores_connects_total", "transport")).toEqual({ polling: 1 });
  });

  test.each([
    ["transport_close", () => client.io.engine.close()],
    ["forced_close", () => client.emit("leave")],
  ])("counts a closed session by its reason: %s", async (reason, leave) => {
    await serve(["websocket"]);
    const [[, socket]] = [...io.sockets.sockets] as [[string, { conn: NodeJS.EventEmitter }]];
    const closed = once(socket.conn, "close");

    leave();
    await closed;

    expect(read("allcores_disconnects_total", "reason")).toEqual({ [reason]: 1 });
    expect(read("allcores_connections", "transport")).toEqual({});
  });

  test("goes on counting when the app removes every listener of a socket", async () => {
    await serve(["websocket"]);
    io.on("connection", (socket) => socket.removeAllListeners());
    const second = connect(urlOf(http), { transports: ["websocket"], forceNew: true });
    await once(second as unknown as NodeJS.EventEmitter, "connect");

    second.emit("ignored");
    second.disconnect();
    while (io.engine.clientsCount > 1) await new Promise((resolve) => setImmediate(resolve));

    expect(read("allcores_disconnects_total", "reason")).toEqual({ transport_close: 1 });
    expect(read("allcores_messages_received_total")).toBe(4);
  });

  test("counts the packets of a parser that knows only bytes, and no pings", async () => {
    class Decoder extends EventEmitter {
      add = (data: Buffer) => this.emit("decoded", JSON.parse(String(data)));
      destroy = () => {};
    }
    class Encoder {
      encode = (packet: object) => [Buffer.from(JSON.stringify(packet))];
    }
    await serve(["websocket"], { parser: { Encoder, Decoder }, pingInterval: 20 });

    await client.emitWithAck("echo", 1);
    await once(client.io as unknown as NodeJS.EventEmitter, "ping");

    expect(read("allcores_messages_received_total")).toBe(2);
    expect(read("allcores_messages_sent_total")).toBe(2);
  });
});
