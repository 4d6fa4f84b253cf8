// What systemd tells the process it starts: where to report, how often, and the sockets it opened for it.
// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html and sd_listen_fds.html

export interface SystemdEnv {
  /** Where notifications go; `undefined` when nobody waits for any. */
  readonly notifySocket: string | undefined;
  /** A ping is due before this many milliseconds have passed; `undefined` without a watchdog. */
  readonly watchdogMs: number | undefined;
  /** The inherited listening socket; `undefined` without socket activation. */
  readonly listenFd: number | undefined;
}

const FIRST_LISTEN_FD = 3;
const NAMES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] as const;

/** Reads and deletes the variables: they are meant for this process, and a worker would take them for its own. */
export function takeSystemdEnv(env: NodeJS.ProcessEnv, pid: number): SystemdEnv {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS, LISTEN_PID } = env;
  for (const name of NAMES) delete env[name];

  const watchdogMs = Number(WATCHDOG_USEC) / 1000;
  const isWatched = watchdogMs > 0 && Number(WATCHDOG_PID ?? pid) === pid;
  const isActivated = Number(LISTEN_FDS) >= 1 && Number(LISTEN_PID) === pid;
  return {
    notifySocket: NOTIFY_SOCKET === "" ? undefined : NOTIFY_SOCKET,
    watchdogMs: isWatched ? watchdogMs : undefined,
    listenFd: isActivated ? FIRST_LISTEN_FD : undefined,
  };
}
