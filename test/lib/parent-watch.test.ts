import type { Socket } from "socket.io-client";
import { expect, test } from "vitest";
import { startBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { isAlive } from "../helpers/process-state.ts";
import { until } from "../helpers/until.ts";

// The kernel is instant. A thread that looks has one second, and this machine may run other tests meanwhile.
const kinds = {
  "the kernel sees to it": { env: {}, strike: "SIGSTOP", goneWithinMs: 1000 },
  "each process watches, without setpriv": { env: { PATH: "" }, strike: "loopForEver", goneWithinMs: 4000 },
} as const;

test.each(Object.entries(kinds))(
  "no process outlives a killed primary, hung, stopped or busy: %s",
  async (_name, kind) => {
    const flags = ["--supervisor-hang-timeout-ms", "60000"];
    const box = await startBox({ app: "chaos-app.mjs", workers: 3, flags, env: kind.env });
    const clients = await Promise.all(Array.from({ length: 3 }, () => connectClient<{ pid: number }>(box.url)));
    const [looping, other, computing] = clients.map(({ socket }) => socket) as [Socket, Socket, Socket];
    computing.emit("task", "spins-forever", null);
    await until("the pool is busy", async () => (await box.status()).cpu.running === 1);
    const { workers, cpu } = await box.status();
    const pids = [cpu.pid, ...workers.map(({ pid }) => pid)].map(Number);
    looping.emit("loopForEver");
    if (kind.strike === "SIGSTOP") process.kill(Number(clients[1]?.welcome.pid), "SIGSTOP");
    else other.emit("loopForEver");
    await until("two workers hang", async () => {
      const { workers: now } = await box.status();
      return now.filter(({ silentMs }) => silentMs > 1000).length === 2;
    });

    box.child.kill("SIGKILL");
    await box.exited;

    await until("all of them are gone", () => !pids.some(isAlive), kind.goneWithinMs);
    expect(pids.every((pid) => pid > 1)).toBe(true);
    for (const { socket } of clients) socket.disconnect();
  },
);
