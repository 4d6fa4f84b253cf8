// The reverse proxies of the README, as it configures them: only ports and folders are changed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { joinFrom } from "../helpers/addressed.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, TRANSPORTS } from "../helpers/clients.ts";
import { freePort } from "../helpers/free-port.ts";
import { filesIn, readReadme } from "../helpers/readme.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

const CLIENTS = 8;
const FILES = filesIn(readReadme());

interface Ports {
  readonly from: number;
  readonly to: number;
}

/** Writes the configuration into the folder and gives the arguments to run it in the foreground. */
type Configure = (ports: Ports, folder: string) => Promise<string[]>;

const configureNginx: Configure = async ({ from, to }, folder) => {
  const site = fileOf("nginx.conf").replace("listen 80;", `listen 127.0.0.1:${from};`).replace(":3000", `:${to}`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder};`);
  const file = join(folder, "nginx.conf");
  await writeFile(
    file,
    `pid ${folder}/pid; error_log stderr; daemon off; master_process off; events {}
     http { access_log off; ${temporary.join(" ")} ${site} }`,
  );
  return ["-c", file, "-e", "stderr"];
};

function configureHaproxy(name: string): Configure {
  return async ({ from, to }, folder) => {
    const file = join(folder, name);
    await writeFile(file, fileOf(name).replace("bind :80", `bind 127.0.0.1:${from}`).replace(":3000", `:${to}`));
    return ["-db", "-f", file];
  };
}

const configureCaddy: Configure = async ({ from, to }, folder) => {
  const site = fileOf("Caddyfile").replace("example.com", `http://127.0.0.1:${from}`).replace(":3000", `:${to}`);
  const file = join(folder, "Caddyfile");
  await writeFile(file, `{\n\tadmin off\n}\n${site}`);
  return ["run", "--adapter", "caddyfile", "--config", file];
};

function fileOf(name: string): string {
  return FILES.get(name) ?? "";
}

describe.each([
  ["nginx.conf", "nginx", configureNginx, []],
  ["haproxy.cfg", "haproxy", configureHaproxy("haproxy.cfg"), []],
  ["Caddyfile", "caddy", configureCaddy, []],
  ["haproxy-tcp.cfg", "haproxy", configureHaproxy("haproxy-tcp.cfg"), ["--proxy-protocol"]],
] as const)("%s before a box", (name, program, configure, flags) => {
  describeWith(program, `with the README's ${name}`, () => {
    let folder: string;
    let box: TestBox;
    let proxy: ChildProcess;
    let url: string;
    let clients: Socket[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "allcores-proxy-"));
      box = await startBox({ app: "echo-app.mjs", flags: ["--trust-proxy", "127.0.0.1", ...flags] });
      const port = await freePort();
      const args = await configure({ from: port, to: Number(new URL(box.url).port) }, folder);
      proxy = spawn(program, args, { stdio: "ignore", env: { PATH: `${process.env.PATH}:/usr/sbin`, HOME: folder } });
      await until(`${program} listens`, () => listens(port));
      url = `http://127.0.0.1:${port}`;
    });

    afterEach(() => {
      for (const client of clients) client.disconnect();
      clients = [];
    });

    afterAll(async () => {
      const ended = once(proxy, "exit");
      proxy.kill("SIGKILL");
      await Promise.all([ended, box.stop()]);
      await rm(folder, { recursive: true });
    });

    test.each(Object.entries(TRANSPORTS))(
      "a room spoken to from all workers hears all, with %s",
      async (_, transports) => {
        const connected = await Promise.all(
          Array.from({ length: CLIENTS }, () => connectClient<{ slot: number }>(url, { transports: [...transports] })),
        );
        clients = connected.map(({ socket }) => socket);
        await Promise.all(clients.map((client) => client.emitWithAck("join", "lobby")));
        const heard = clients.map((client) => collect(client, CLIENTS));

        for (const [i, client] of clients.entries()) client.emit("say", "lobby", i);

        const everything = Array.from({ length: CLIENTS }, (_, i) => i);
        expect((await Promise.all(heard)).map((numbers) => numbers.sort())).toEqual(clients.map(() => everything));
        expect(new Set(connected.map(({ welcome }) => welcome.slot)).size).toBe(2);
      },
    );

    test("the app is told the client's address", async () => {
      const client = await joinFrom(url, "127.0.0.2");

      expect(client).toMatchObject({ welcome: { address: "127.0.0.2" } });
      if (typeof client === "object") client.ws.terminate();
    });

    test("requests of the app, with a body, are answered", async () => {
      const answer = await fetch(`${url}/upload`, { method: "POST", body: "x".repeat(100_000) });

      expect(await answer.text()).toBe("POST /upload 100000");
    });
  });
});

/** The first `count` events, which may come several in one packet. */
function collect(client: Socket, count: number): Promise<number[]> {
  const numbers: number[] = [];
  return new Promise((resolve) => {
    client.on("said", (number: number) => {
      if (numbers.push(number) === count) resolve(numbers);
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
