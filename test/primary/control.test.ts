import { once } from "node:events";
import { link, mkdtemp, rm, stat } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AllcoresError } from "../../src/errors.ts";
import { type ControlHandler, ControlServer } from "../../src/primary/control.ts";
import { type CallBoxOptions, callBox } from "../../src/primary/control-client.ts";
import { controlSocketPath } from "../../src/primary/runtime-dir.ts";

const ADMIN_PORT = 9400;

let folder: string;
let path: string;
let servers: ControlServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-control-"));
  path = controlSocketPath(folder, ADMIN_PORT);
  servers = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function serve(handlers: Record<string, ControlHandler>): Promise<void> {
  const server = new ControlServer({ path, handlers });
  await server.start();
  servers.push(server);
}

function call(verb: string, options: Partial<CallBoxOptions> = {}): Promise<unknown> {
  return callBox(verb, { adminPort: ADMIN_PORT, env: { RUNTIME_DIRECTORY: folder }, timeoutMs: 10_000, ...options });
}

describe("the control socket", () => {
  test("answers its own user, and can be opened by nobody else", async () => {
    await serve({ status: async () => ({ state: "running" }) });

    const answer = await call("status");
    const { mode } = await stat(path);

    expect(answer).toEqual({ state: "running" });
    expect(mode & 0o777).toBe(0o600);
  });

  test("tells progress before the result", async () => {
    const seen: unknown[] = [];
    await serve({
      stop: async (progress) => {
        for (const left of [2, 1]) progress({ left });
        return "done";
      },
    });

    const result = await call("stop", { onProgress: (progress) => seen.push(progress) });

    expect([seen, result]).toEqual([[{ left: 2 }, { left: 1 }], "done"]);
  });

  test("an error keeps its code on the way", async () => {
    const error = new AllcoresError("ALLCORES_ERR_CLOSED", "It is closed.");
    await serve({ status: () => Promise.reject(error) });

    await expect(call("status")).rejects.toMatchObject({ code: "ALLCORES_ERR_CLOSED", message: "It is closed." });
  });

  test.each(["fly", "constructor"])("refuses the verb %s, which it does not know", async (verb) => {
    await serve({ status: async () => "well" });

    await expect(call(verb)).rejects.toMatchObject({ code: "ALLCORES_ERR_USAGE" });
  });

  test("does not wait longer than it was told to", async () => {
    await serve({ status: () => new Promise(() => {}) });

    await expect(call("status", { timeoutMs: 50 })).rejects.toMatchObject({ code: "ALLCORES_ERR_DEADLINE" });
  });

  test("a box that ends before it answers is no box", async () => {
    const dying = createServer((socket) => socket.once("data", () => socket.destroy())).listen(path);
    await once(dying, "listening");

    await expect(call("status")).rejects.toMatchObject({ code: "ALLCORES_ERR_NO_BOX" });
    dying.close();
  });

  test("without a box the error names where it looked and what to do", async () => {
    await expect(call("status")).rejects.toMatchObject({
      code: "ALLCORES_ERR_NO_BOX",
      message: expect.stringMatching(new RegExp(`No box answers at ${path}\\. Start one with \`allcores start\``)),
    });
  });

  test("a second box is refused while the first one lives, and the first goes on answering", async () => {
    await serve({ status: async () => "first" });

    const second = serve({ status: async () => "second" });

    await expect(second).rejects.toMatchObject({ code: "ALLCORES_ERR_LISTEN" });
    await expect(call("status")).resolves.toBe("first");
  });

  test("the socket that a killed box left behind is replaced", async () => {
    const killed = createServer().listen(`${path}.first`);
    await once(killed, "listening");
    await link(`${path}.first`, path);
    killed.close();
    await once(killed, "close");

    await serve({ status: async () => "second" });

    await expect(call("status")).resolves.toBe("second");
  });

  test.each([
    ["no JSON", "GET / HTTP/1.1\r\n\r\n"],
    ["endless", "x".repeat(100_000)],
  ])("a request that is %s closes that connection and no other", async (_what, bytes) => {
    await serve({ status: async () => "well" });
    const bad = createConnection(path);
    const closed = new Promise((resolve) => bad.once("close", resolve));

    bad.on("error", () => {});
    bad.end(bytes);
    await closed;

    await expect(call("status")).resolves.toBe("well");
  });
});
