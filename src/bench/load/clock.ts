// One monotonic clock for all load processes of a machine, in microseconds.

// `performance.now()` is the cheap clock, but begins anew in each process; `hrtime` is the machine's.
const offsetUs = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;

export function nowUs(): number {
  return performance.now() * 1000 + offsetUs;
}
