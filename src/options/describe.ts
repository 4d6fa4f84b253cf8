// The resolved options as they may be shown: each with its name, its value and where that came from, no secrets.

import type { OptionSource, Resolution, ResolvedOption } from "./options.ts";
import { envOf, flagOf } from "./resolve.ts";
import { OPTION_TABLE, type OptionName, type Row } from "./table.ts";

export interface DescribedOption {
  readonly name: OptionName;
  /** A secret that is set is `***`; of a URL the user and the password are hidden. */
  readonly value: ResolvedOption["value"];
  readonly source: OptionSource;
  readonly flag: string;
  readonly env: string;
  readonly doc: string;
}

const MASK = "***";

export function describeOptions({ entries }: Resolution): DescribedOption[] {
  return entries.map(({ name, value, source }) => {
    const { doc, secret }: Row = OPTION_TABLE[name];
    const shown = secret === true ? maskSecret(String(value)) : value;
    return { name, value: shown, source, flag: `--${flagOf(name)}`, env: envOf(name), doc };
  });
}

/** Where Redis is helps whoever reads it; what opens it must not be read. */
function maskSecret(value: string): string {
  if (value === "") return value;
  if (!/^rediss?:\/\//.test(value) || !URL.canParse(value)) return MASK;
  const url = new URL(value);
  if (url.username !== "") url.username = MASK;
  if (url.password !== "") url.password = MASK;
  if (url.search !== "") url.search = MASK;
  return url.href;
}
