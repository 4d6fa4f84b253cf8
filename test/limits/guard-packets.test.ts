// What a hostile client can put into a packet, sent to a real server as raw frames.

import { Decoder, Encoder } from "socket.io-parser";
import { afterEach, describe, expect, test } from "vitest";
import {
  type GuardedServer,
  type GuardedServerSettings,
  nextEvent,
  startGuardedServer,
} from "../helpers/guarded-server.ts";
import { connectRaw, nestedArrays } from "../helpers/raw-client.ts";

let server: GuardedServer;
afterEach(() => server.close());

/** An app that gives back and passes on whatever it is sent, as many do. */
async function startEcho(settings: GuardedServerSettings = {}): Promise<unknown[][]> {
  const handled: unknown[][] = [];
  server = await startGuardedServer({
    ...settings,
    setup: (io) =>
      io.on("connection", (socket) => {
        socket.onAny((...event) => handled.push(event));
        socket.on("echo", (data, ack) => (ack ? ack(data) : io.emit("echo", data)));
        socket.on("count", (list, ack) => ack(list.length));
        socket.on("ping me", () => socket.emit("pinged", () => handled.push(["acked"])));
      }),
  });
  return handled;
}

describe("an event", () => {
  test.each([33, 5000, 300_000])("nested %i deep is refused through the ack, and no handler sees it", async (depth) => {
    const handled = await startEcho();
    const client = await connectRaw(server.port);

    client.send(`421["echo",${nestedArrays(depth)}]`);

    expect(await client.next("431")).toBe(
      '431[{"error":{"code":"ALLCORES_ERR_PACKET_REFUSED","message":"The packet is nested deeper than 32 levels."}}]',
    );
    expect(handled).toEqual([]);
    expect(server.refused).toEqual(new Map([["packet", 1]]));
  });

  test("nested as deep as allowed is handled", async () => {
    await startEcho();
    const client = await connectRaw(server.port);

    client.send(`421["echo",${nestedArrays(32)}]`);

    expect(await client.next("431")).toBe(`431[${nestedArrays(32)}]`);
  });

  test("without an ack is refused by an event that names it", async () => {
    await startEcho();
    const client = server.client();
    await nextEvent(client, "connect");

    client.emit("x".repeat(1000), 1);

    expect(await nextEvent(client, "allcores:error")).toEqual([
      {
        code: "ALLCORES_ERR_PACKET_REFUSED",
        message: "The name of an event is longer than 256 characters.",
        event: "x".repeat(256),
      },
    ]);
  });

  test("with too many elements is refused", async () => {
    const handled = await startEcho({ config: { "limits.maxKeys": 100 } });
    const client = await connectRaw(server.port);

    client.send(`421["echo",[${"0,".repeat(99)}0]]`);

    expect(await client.next("431")).toContain("more than 100 elements and keys");
    expect(handled).toEqual([]);
  });

  // Socket.IO emits its own `error` on the same object: handlers take what they get there for an Error.
  test.each(["error", "disconnect", "newListener"])(
    "called `%s` never reaches a listener of that name",
    async (name) => {
      let isCalled = false;
      server = await startGuardedServer({
        io: { parser: { Encoder, Decoder: LenientDecoder } },
        setup: (io) =>
          io.on("connection", (socket) => void socket.prependListener(name, (error) => (isCalled = error === "x"))),
      });
      const client = await connectRaw(server.port);

      client.send(`421["${name}","x"]`);

      expect(await client.next("431")).toContain("reserved event name");
      expect(isCalled).toBe(false);
    },
  );

  // Node's emitter makes text of a name: here that throws, in no handler's call.
  test("whose name is an object is refused, whatever the app's parser lets through", async () => {
    await startEcho({ io: { parser: { Encoder, Decoder: LenientDecoder } } });
    const client = await connectRaw(server.port);

    client.send('421[{"toString":1},"x"]');

    expect(await client.next("431")).toContain("ALLCORES_ERR_PACKET_REFUSED");
  });

  test("with as many attachments as allowed is handled, with more its connection ends and says why", async () => {
    const handled = await startEcho({ config: { "limits.maxAttachments": 2 } });
    const client = server.client({ transports: ["websocket"] });
    await nextEvent(client, "connect");

    const echo = await client.emitWithAck("echo", [Buffer.from("a"), Buffer.from("b")]);
    client.emit("echo", [Buffer.from("a"), Buffer.from("b"), Buffer.from("c")]);
    const [refusal] = await nextEvent(client, "allcores:error");
    await nextEvent(client, "disconnect");

    expect(echo).toEqual([Buffer.from("a"), Buffer.from("b")]);
    expect(refusal).toMatchObject({
      code: "ALLCORES_ERR_PACKET_REFUSED",
      message: expect.stringContaining("attachments"),
    });
    expect(handled).toHaveLength(1);
  });

  test("may have more attachments than Socket.IO's own limit when the option says so", async () => {
    const handled = await startEcho({ config: { "limits.maxAttachments": 20 } });
    const client = server.client({ transports: ["websocket"] });
    const buffers = Array.from({ length: 20 }, (_unused, byte) => Buffer.from([byte]));

    await client.emitWithAck("count", buffers);

    expect(handled).toEqual([["count", buffers, expect.any(Function)]]);
  });

  test("whose attachments do not come ends its connection", async () => {
    await startEcho({ config: { "limits.attachmentTimeoutMs": 100 } });
    const client = await connectRaw(server.port);

    client.send('451-["echo",{"_placeholder":true,"num":0}]');
    await client.closed;

    expect(client.received.at(-1)).toContain("An attachment of a packet did not come within 100 ms.");
  });

  test("whose attachments take their time, one after the other, is handled", async () => {
    await startEcho({ config: { "limits.attachmentTimeoutMs": 2000 } });
    const client = await connectRaw(server.port);

    client.send(
      '453-1["echo",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]]',
    );
    for (const byte of [1, 2, 3]) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      client.send(Buffer.from([byte]));
    }

    expect(await client.next("463-1")).toContain("_placeholder");
  });
});

describe("an ack", () => {
  test("nested too deep ends the connection before the app's callback sees it", async () => {
    const handled = await startEcho();
    const client = await connectRaw(server.port);
    client.send('42["ping me"]');
    const id = /^42(\d+)/.exec(await client.next("42"))?.[1];

    client.send(`43${id}[${nestedArrays(5000)}]`);
    await client.closed;

    expect(handled).toEqual([["ping me"]]);
    expect(client.received.at(-1)).toContain("nested deeper");
  });

  test("that was asked for is handled, a second one of the same id is not", async () => {
    const handled = await startEcho();
    const client = await connectRaw(server.port);
    client.send('42["ping me"]');
    const id = /^42(\d+)/.exec(await client.next("42"))?.[1];

    client.send(`43${id}[]`);
    client.send('421["echo",1]');
    await client.next("431");
    client.send(`43${id}[]`);
    client.send('422["echo",2]');
    await client.next("432");

    expect(handled.map(([name]) => name)).toEqual(["ping me", "acked", "echo", "echo"]);
    expect(server.refused.get("packet")).toBe(1);
  });
});

describe("a CONNECT", () => {
  test("whose payload is nested too deep is answered with a connect_error", async () => {
    await startEcho();
    const client = await connectRaw(server.port, { join: false });

    client.send(`40{"token":${nestedArrays(5000)}}`);

    expect(await client.next("44")).toBe(
      '44{"message":"The packet is nested deeper than 32 levels.","data":{"code":"ALLCORES_ERR_PACKET_REFUSED"}}',
    );
  });

  test("to a namespace with a long name is answered with a connect_error", async () => {
    await startEcho();
    const client = server.client({}, `/${"n".repeat(300)}`);

    const [error] = await nextEvent<[Error & { data?: unknown }]>(client, "connect_error");

    expect(error.message).toBe("The name of a namespace must be text of up to 256 characters.");
    expect(error.data).toEqual({ code: "ALLCORES_ERR_PACKET_REFUSED" });
  });

  test("to a namespace with a name of 900 KB ends the connection, and the name is not sent back", async () => {
    await startEcho();
    const client = await connectRaw(server.port, { join: false });

    client.send(`40/${"n".repeat(900_000)},{}`);
    await client.closed;

    expect(client.received.join("").length).toBeLessThan(1000);
  });
});

describe("garbage", () => {
  test.each(["4", "49", "4abc", '42{"a":1}', "45-", "459999999-[]", "44", '42/nowhere,["x"]', "9"])(
    "such as %j ends the connection that sent it, and no other",
    async (frame) => {
      await startEcho();
      const bystander = server.client({ transports: ["websocket"] });
      await nextEvent(bystander, "connect");
      const client = await connectRaw(server.port);

      client.send(frame);
      await client.closed;

      expect(await bystander.emitWithAck("echo", 1)).toBe(1);
    },
  );

  test.each(["42", "43", '43["x"]', "431[]"])("such as %j is refused and counted", async (frame) => {
    await startEcho();
    const client = await connectRaw(server.port);

    client.send(frame);
    client.send('421["echo",1]');
    await client.next("431");

    expect(server.refused).toEqual(new Map([["packet", 1]]));
  });
});

describe("a message larger than the limit", () => {
  test("closes a WebSocket with code 1009", async () => {
    await startEcho({ config: { "limits.maxPayloadBytes": 1000 } });
    const client = await connectRaw(server.port);

    client.send(`42["echo","${"x".repeat(1000)}"]`);
    const [code] = await nextEvent<[number]>(client.socket, "close");

    expect(code).toBe(1009);
  });

  test("is accepted when the app itself asks for a higher limit", async () => {
    await startEcho({ config: { "limits.maxPayloadBytes": 1000 }, io: { maxHttpBufferSize: 10_000 } });
    const client = server.client({ transports: ["websocket"] });

    expect(await client.emitWithAck("echo", "x".repeat(5000))).toHaveLength(5000);
  });
});

/** A parser as an app may bring one: it reads events and trusts every client. */
class LenientDecoder extends Decoder {
  override add(frame: unknown): void {
    const [, type, id, data] = /^(\d)(\d*)(.*)$/.exec(String(frame)) ?? [];
    if (type === "2") this.emitReserved("decoded", { type: 2, nsp: "/", id: Number(id), data: JSON.parse(data ?? "") });
    else super.add(frame);
  }
}
