// `allcores token`: makes a JWT that the box takes, for development and for scripts.

import { signToken } from "../auth/jwt.ts";
import { AllcoresError, EXIT } from "../errors.ts";
import type { Options } from "../options/options.ts";
import { envOf, OPTION_NAMES, resolveOptions } from "../options/resolve.ts";
import { parseArguments } from "./arguments.ts";
import { readConfigFile } from "./config-file.ts";
import type { Verb } from "./verb.ts";

const SECRET_VARIABLE = envOf("auth.jwtSecret");
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** Set by flags of their own, or by the clock. */
const OWN_CLAIMS: Readonly<Record<string, string>> = { sub: "--sub", exp: "--expires", iat: "" };

const HELP = `Makes a JWT that the box lets in: the secret, algorithm, issuer and audience are those of its options.

Usage: allcores token --sub NAME [--expires 1h] [--claim NAME=VALUE]... [--json]

  --sub NAME
      Whom the token is for: the claim \`sub\`.
  --expires N(s|m|h|d)
      How long it is good for. [default 1h]
  --claim NAME=VALUE
      One more claim, as often as you like. A value that is JSON is taken as JSON, anything else as text.
  --secret-file FILE
      A file with the secret. [${SECRET_VARIABLE} or ${SECRET_VARIABLE}_FILE]
  --config FILE
      The configuration file of the box, if its auth options are set there.
  --json
      One JSON object: { token, claims, expiresAt }.

Exit codes: 0 ok, 64 usage, 78 the secret is missing or too short.`;

export const token: Verb = {
  name: "token",
  summary: "makes a JWT for development",
  help: HELP,
  run: async (args, terminal) => {
    const { flags, lists } = parseArguments("token", args, {
      flags: {
        sub: { type: "string" },
        expires: { type: "string" },
        claim: { type: "string", isRepeatable: true },
        "secret-file": { type: "string" },
        config: { type: "string" },
        json: { type: "boolean" },
      },
    });
    const lifetimeSeconds = parseLifetime(String(flags.expires ?? "1h"));
    const claims = { sub: parseSubject(flags.sub), ...parseClaims(lists.claim ?? []) };
    const signed = await signToken(findAuthOptions(flags, process.env), claims, lifetimeSeconds);

    const expiresAt = new Date(signed.claims.exp * 1000).toISOString();
    if (flags.json === true) terminal.out.write(`${JSON.stringify({ ...signed, expiresAt }, null, 2)}\n`);
    else {
      terminal.out.write(`${signed.token}\n`);
      terminal.err.write(`Good until ${expiresAt}. In a client: io(url, { auth: { token: "..." } })\n`);
    }
    return EXIT.ok;
  },
};

function parseSubject(sub: unknown): string {
  if (typeof sub === "string" && sub !== "") return sub;
  throw usageError("Say whom the token is for, as in `--sub ada`.");
}

function parseLifetime(text: string): number {
  const [, count, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNIT_SECONDS[unit] ?? Number.NaN);
  if (seconds > 0) return seconds;
  throw usageError(`--expires takes a number and a unit, as in 30s, 15m, 1h or 7d, not "${text}".`);
}

function parseClaims(pairs: readonly string[]): Record<string, unknown> {
  const claims: [string, unknown][] = [];
  for (const pair of pairs) {
    const [, name, value = ""] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined) throw usageError(`--claim takes NAME=VALUE, not "${pair}".`);
    const flag = OWN_CLAIMS[name];
    if (flag !== undefined) throw usageError(`--claim cannot set ${name}${flag === "" ? "" : `: use ${flag}`}.`);
    claims.push([name, parseValue(value)]);
  }
  return Object.fromEntries(claims);
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Only the auth options are looked at: what else the environment has is no matter here. */
function findAuthOptions(flags: { readonly [name: string]: unknown }, env: NodeJS.ProcessEnv): Options["auth"] {
  const variables = OPTION_NAMES.filter(isAuthOption).flatMap((name) => [envOf(name), `${envOf(name)}_FILE`]);
  const authEnv = Object.fromEntries(variables.map((variable) => [variable, env[variable]]));
  const secretFile = flags["secret-file"];
  if (typeof secretFile === "string") {
    authEnv[SECRET_VARIABLE] = undefined;
    authEnv[`${SECRET_VARIABLE}_FILE`] = secretFile;
  }
  const { auth } = resolveOptions({
    env: authEnv,
    file: typeof flags.config === "string" ? pickAuth(readConfigFile(flags.config)) : undefined,
  }).options;
  if (auth.jwtSecret !== "") return auth;
  throw new AllcoresError(
    "ALLCORES_ERR_INVALID_OPTION",
    `There is no secret to sign with. Set ${SECRET_VARIABLE} or ${SECRET_VARIABLE}_FILE as for the box, or give --secret-file FILE.`,
  );
}

function pickAuth(file: unknown): object {
  return Object.fromEntries(Object.entries(Object(file)).filter(([name]) => name === "auth" || isAuthOption(name)));
}

function isAuthOption(name: string): boolean {
  return name.startsWith("auth.");
}

function usageError(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", `${message} See \`allcores token --help\`.`);
}
