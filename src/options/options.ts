// The shape of the resolved options: the rows of the table, grouped by what stands before the dot.

import type { BooleanRow, IntegerRow, ListRow, OPTION_TABLE, OptionName, Row } from "./table.ts";

type Value<R extends Row> = R extends IntegerRow
  ? number
  : R extends BooleanRow
    ? boolean
    : R extends ListRow
      ? readonly string[]
      : R extends { readonly values: readonly (infer T)[] }
        ? T
        : string;

type Flat = { readonly [N in OptionName]: Value<(typeof OPTION_TABLE)[N]> };

type Group<G extends string> = {
  readonly [N in OptionName as N extends `${G}.${infer Rest}` ? Rest : never]: Flat[N];
};

/** Every option with its value: `options.port`, `options.cpu.maxQueue`. Frozen, all the way down. */
export type Options = {
  readonly [N in OptionName as N extends `${infer G}.${string}` ? G : N]: N extends `${infer G}.${string}`
    ? Group<G>
    : Flat[N];
};

/** Where a value came from. */
export type OptionSource = "flag" | "environment" | "file" | "default";

export interface ResolvedOption {
  readonly name: OptionName;
  readonly value: number | boolean | string | readonly string[];
  readonly source: OptionSource;
}

export interface Resolution {
  readonly options: Options;
  /** One entry a row, in the table's order. Secrets are not masked here: `describeOptions` does that. */
  readonly entries: readonly ResolvedOption[];
}
