// What a chart shows, apart from how it is drawn: the page draws it with uPlot, the README's picture is an SVG.

export interface Series {
  readonly name: string;
  /** In rising order of x. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
  /** Drawn dashed and without points: calculated, not measured. */
  readonly isModel?: boolean;
}

/** A moment on the timeline, such as a reload. */
export interface Mark {
  readonly x: number;
  readonly label: string;
}

/** `nines` spreads percentiles: x is 1 / (1 - share), so that 90 %, 99 % and 99.9 % are equally far apart. */
export type Scale = "linear" | "log" | "nines";

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** One sentence that says what to see, for those who do not see it. */
  readonly caption: string;
  readonly x: { readonly label: string; readonly scale: Scale };
  readonly y: { readonly label: string; readonly scale: Exclude<Scale, "nines"> };
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
}

/** One bar a row, made of parts that add up. */
export interface Bars {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly unit: string;
  readonly parts: readonly string[];
  /** `values` has one number for each of `parts`. */
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
}

/** Round numbers that cover `min` to `max`, about `wanted` of them. */
export function niceTicks(min: number, max: number, wanted = 5): number[] {
  const span = max - min;
  if (!(span > 0)) return [min];
  const rough = span / wanted;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = magnitude * ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10);
  const first = Math.ceil(min / step);
  const last = Math.floor(max / step);
  return Array.from({ length: last - first + 1 }, (_unused, index) => Number(((first + index) * step).toPrecision(12)));
}

/** A value beside an axis, for people: as short as it can be. */
export function tickText(value: number, scale: Scale): string {
  if (scale === "nines" || Math.abs(value) < 10_000) return axisText(value, scale);
  return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
}

/** A value of an axis, in a table. */
export function axisText(value: number, scale: Scale): string {
  if (scale === "nines") return `${Number((100 - 100 / value).toPrecision(6))} %`;
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}
