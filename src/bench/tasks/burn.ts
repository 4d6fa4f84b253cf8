// CPU work of a known amount, inline or on the pool. It counts steps, not time: on a busy machine a loop that looks at
// the clock would do less work for the same milliseconds.

const STEPS_PER_MS = 450_000;

/** Roughly `ms` milliseconds of one core. */
export default function burn(ms: number): number {
  let state = 0x9e3779b9;
  for (let step = 0; step < ms * STEPS_PER_MS; step++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return state;
}
