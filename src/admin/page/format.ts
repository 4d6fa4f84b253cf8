// Numbers as people read them: short, with a unit, never more than three or four digits.

export interface Quantity {
  readonly value: string;
  readonly unit: string;
}

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** 950, 9,500, 95K. */
export function formatCount(count: number): string {
  return count < 10_000 ? WHOLE.format(count) : COMPACT.format(count);
}

/** A rate per second: 0.3, 12, 1.2K. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 10) return perSecond.toFixed(1);
  return perSecond < 1000 ? WHOLE.format(perSecond) : COMPACT.format(perSecond);
}

/** In powers of 1000. */
export function bytesOf(bytes: number): Quantity {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return { value: value.toFixed(digits), unit: BYTE_UNITS[unit] ?? "" };
}

export function formatBytes(bytes: number): string {
  const { value, unit } = bytesOf(bytes);
  return `${value} ${unit}`;
}

/** The two largest parts: 45 s, 3 min 5 s, 2 h 10 min, 4 d 3 h. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
