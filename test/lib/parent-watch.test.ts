import type { Socket } from "socket.io-client";
import { expect, test } from "vitest";
import { startBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { isAlive } from "../helpers/process-state.ts";
import { until } from "../helpers/until.ts";

/** One second is promised; the rest is for a machine that runs other tests meanwhile. */
const GONE_WITHIN_MS = 4000;

test("no process of the box outlives a killed primary, not even in an endless loop", async () => {
  const box = await startBox({ app: "chaos-app.mjs", workers: 2, flags: ["--supervisor-hang-timeout-ms", "60000"] });
  const { socket } = await connectClient<unknown>(box.url);
  const computing: Socket = (await connectClient<unknown>(box.url)).socket;
  computing.emit("task", "spins-forever", null);
  await until("the pool is busy", async () => (await box.status()).cpu.running === 1);
  const { workers, cpu } = await box.status();
  const pids = [cpu.pid, ...workers.map(({ pid }) => pid)].map(Number);
  socket.emit("loopForEver");
  await until("a worker hangs", async () => {
    const answer = await socket
      .timeout(200)
      .emitWithAck("echo")
      .catch(() => "none");
    return answer === "none";
  });

  box.child.kill("SIGKILL");
  await box.exited;

  await until("all of them are gone", () => !pids.some(isAlive), GONE_WITHIN_MS);
  expect(pids.every((pid) => pid > 1)).toBe(true);
  socket.disconnect();
  computing.disconnect();
});
