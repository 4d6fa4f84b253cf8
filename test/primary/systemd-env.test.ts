import { describe, expect, test } from "vitest";
import { takeSystemdEnv } from "../../src/primary/systemd-env.ts";

const PID = 42;
const FULL = {
  NOTIFY_SOCKET: "/run/notify",
  WATCHDOG_USEC: "30000000",
  WATCHDOG_PID: "42",
  LISTEN_FDS: "1",
  LISTEN_PID: "42",
  LISTEN_FDNAMES: "allcores.socket",
};
const NOTHING = { notifySocket: undefined, watchdogMs: undefined, listenFd: undefined };

describe("takeSystemdEnv", () => {
  test("takes what is meant for this process", () => {
    expect(takeSystemdEnv({ ...FULL }, PID)).toEqual({
      notifySocket: "/run/notify",
      watchdogMs: 30_000,
      listenFd: 3,
    });
  });

  test("leaves nothing for the processes it will fork", () => {
    const env = { ...FULL, PATH: "/bin" };

    takeSystemdEnv(env, PID);

    expect(env).toEqual({ PATH: "/bin" });
  });

  test("sockets and a watchdog of another process are not taken", () => {
    expect(takeSystemdEnv({ ...FULL, LISTEN_PID: "41", WATCHDOG_PID: "41" }, PID)).toEqual({
      ...NOTHING,
      notifySocket: "/run/notify",
    });
  });

  test.each([{}, { NOTIFY_SOCKET: "", WATCHDOG_USEC: "0", LISTEN_FDS: "0", LISTEN_PID: "42" }])(
    "%j is nothing",
    (env) => {
      expect(takeSystemdEnv({ ...env }, PID)).toEqual(NOTHING);
    },
  );
});
