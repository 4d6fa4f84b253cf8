// A timer for a moment that may be months away: Node's own fire at once when they are set for more than 24.8 days.

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Calls `fn` when `Date.now()` has reached `atMs`. Keeps no process alive.
 * @returns a function that calls it off
 */
export function atTime(atMs: number, fn: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const leftMs = atMs - Date.now();
    const isLastLeg = leftMs <= LONGEST_TIMEOUT_MS;
    timer = setTimeout(isLastLeg ? fn : arm, isLastLeg ? Math.max(0, leftMs) : LONGEST_TIMEOUT_MS);
    timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}
