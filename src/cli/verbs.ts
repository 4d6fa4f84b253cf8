// The register of verbs: one line a verb, in the order of the help text.

import { bench } from "./bench.ts";
import { config } from "./config.ts";
import { reload } from "./reload.ts";
import { start } from "./start.ts";
import { status } from "./status.ts";
import { stop } from "./stop.ts";
import { token } from "./token.ts";
import type { Verb } from "./verb.ts";

export const VERBS: readonly Verb[] = [start, reload, stop, status, bench, token, config];
