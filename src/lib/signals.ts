// The signals of a box, in one place. Stop signals drain, the second one ends at once.

export type StopSignal = "SIGTERM" | "SIGINT";

export interface SignalHandlers {
  /** The first SIGTERM or SIGINT. */
  readonly onStop: (signal: StopSignal) => void;
  /** Every further one. */
  readonly onKill: (signal: StopSignal) => void;
  /** SIGHUP. */
  readonly onHangUp: () => void;
}

/** `npm start` passes Ctrl-C on to a child that the terminal has already told: two SIGINT, one key press. */
const SAME_KEY_PRESS_MS = 200;

/** Exit code of a process that a signal ended, as shells report it. */
export const SIGNAL_EXIT: Record<StopSignal, number> = { SIGINT: 130, SIGTERM: 143 };

/** Listens to the box's signals from now on. */
export function listenToSignals({ onStop, onKill, onHangUp }: SignalHandlers): void {
  const isSameKeyPress = createKeyPressFilter();
  let isStopping = false;

  const stop = (signal: StopSignal): void => {
    if (signal === "SIGINT" && isSameKeyPress(performance.now())) return;
    if (isStopping) onKill(signal);
    else onStop(signal);
    isStopping = true;
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("SIGHUP", onHangUp);
  // Without a listener Node opens the inspector on SIGUSR1, to whoever may send a signal.
  process.on("SIGUSR1", () => {});
}

function createKeyPressFilter(): (nowMs: number) => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    const isSame = nowMs - lastMs < SAME_KEY_PRESS_MS;
    lastMs = nowMs;
    return isSame;
  };
}
