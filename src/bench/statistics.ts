// What the report says about repeated runs: the middle, the spread around it, and a straight line with its error band.
// Medians, not means: on a shared machine one bad round would otherwise be the result.

/** Repeated measurements of one figure. */
export interface Summary {
  readonly median: number;
  /** Half the distance between the largest and the smallest value, as a share of the median. 0 for a single value. */
  readonly spread: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper;
  return (lower + upper) / 2;
}

export function summarize(values: readonly number[]): Summary {
  const middle = median(values);
  const min = Math.min(...values);
  const max = Math.max(...values);
  const spread = max === min ? 0 : (max - min) / 2 / Math.abs(middle);
  return { median: middle, spread, min, max, count: values.length };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A least-squares line `y = intercept + slope * x`, with what its prediction interval needs. */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
  /** Standard deviation of the points around the line (n - 2 degrees of freedom). */
  readonly residual: number;
  readonly meanX: number;
  /** Sum of the squared distances of x from its mean. */
  readonly sumSquaresX: number;
  readonly count: number;
}

/**
 * Fits a line whose slope is not negative: adding workers never makes a message cheaper, and a falling line
 * carried on to 64 cores would promise that it does. With one x only, the line is flat.
 */
export function fitLine(points: readonly Point[]): Line {
  const count = points.length;
  const meanX = sum(points.map((point) => point.x)) / count;
  const meanY = sum(points.map((point) => point.y)) / count;
  const sumSquaresX = sum(points.map((point) => (point.x - meanX) ** 2));
  const sumProducts = sum(points.map((point) => (point.x - meanX) * (point.y - meanY)));
  const slope = sumSquaresX === 0 ? 0 : Math.max(0, sumProducts / sumSquaresX);
  const intercept = meanY - slope * meanX;
  const squares = sum(points.map((point) => (point.y - intercept - slope * point.x) ** 2));
  const residual = count > 2 ? Math.sqrt(squares / (count - 2)) : Number.NaN;
  return { intercept, slope, residual, meanX, sumSquaresX, count };
}

/** A value with the 95 % prediction interval around it. Without enough points the interval is unknown (NaN). */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What the line says at `x`, with the textbook 95 % prediction interval: it widens away from the measured points. */
export function predict(line: Line, x: number): Estimate {
  const value = line.intercept + line.slope * x;
  const leverage = line.sumSquaresX === 0 ? 0 : (x - line.meanX) ** 2 / line.sumSquaresX;
  const margin = studentT95(line.count - 2) * line.residual * Math.sqrt(1 + 1 / line.count + leverage);
  return { value, low: value - margin, high: value + margin };
}

// Two-sided 95 % quantiles of Student's t distribution for 1 to 30 degrees of freedom.
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

function studentT95(degreesOfFreedom: number): number {
  if (degreesOfFreedom < 1) return Number.NaN;
  return T95[degreesOfFreedom - 1] ?? 1.96;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
