import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createVerifier } from "../../src/auth/jwt.ts";
import { runCli } from "../../src/cli/run.ts";
import { resolveOptions } from "../../src/options/resolve.ts";

const secret = "0123456789abcdef0123456789abcdef";
const { auth } = resolveOptions({ file: { "auth.jwtSecret": secret } }).options;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "allcores-token-"));
  vi.stubEnv("ALLCORES_AUTH_JWT_SECRET", secret);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(["token", ...args], { out, err });
  return { code, out: String(out.read() ?? ""), err: String(err.read() ?? "") };
}

function fileWith(text: string): string {
  const path = join(folder, "file");
  writeFileSync(path, text);
  return path;
}

describe("allcores token", () => {
  test("prints a token that the box takes, alone on stdout", async () => {
    const { code, out, err } = await run("--sub", "ada");

    expect(code).toBe(0);
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(await createVerifier(auth)(out.trim())).toMatchObject({ kind: "valid", claims: { sub: "ada" } });
    expect(err).toMatch(/^Good until \d{4}-/);
  });

  test("--json says what is in it", async () => {
    const { out, err } = await run("--sub", "ada", "--expires", "15m", "--json");
    const { token, claims, expiresAt } = JSON.parse(out);

    expect(await createVerifier(auth)(token)).toEqual({ kind: "valid", claims });
    expect(claims.exp - claims.iat).toBe(900);
    expect(expiresAt).toBe(new Date(claims.exp * 1000).toISOString());
    expect(err).toBe("");
  });

  test("takes claims as often as they are given, as JSON or as text", async () => {
    const { out } = await run("--sub=ada", "--claim", "roles=[1,2]", "--claim", "name=Ada = L", "--claim=x=", "--json");

    expect(JSON.parse(out).claims).toMatchObject({ roles: [1, 2], name: "Ada = L", x: "" });
  });

  test("uses the algorithm, issuer and audience of the box", async () => {
    vi.stubEnv("ALLCORES_AUTH_JWT_ALGORITHMS", "HS512");
    vi.stubEnv("ALLCORES_AUTH_JWT_SECRET", secret.repeat(2));
    vi.stubEnv("ALLCORES_AUTH_JWT_ISSUER", "me");

    const { out } = await run("--sub", "ada", "--json");
    const { token, claims } = JSON.parse(out);

    expect(JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString())).toEqual({ alg: "HS512", typ: "JWT" });
    expect(claims.iss).toBe("me");
  });

  test("takes the secret from a file, which goes before the environment", async () => {
    vi.stubEnv("ALLCORES_AUTH_JWT_SECRET", "another secret that is also long enough");

    const { out } = await run("--sub", "ada", "--secret-file", fileWith(`${secret}\n`));

    expect(await createVerifier(auth)(out.trim())).toMatchObject({ kind: "valid" });
  });

  test("takes the auth options of a configuration file, and minds no other", async () => {
    vi.stubEnv("ALLCORES_AUTH_JWT_SECRET", "");
    vi.stubEnv("PORT", "no port");

    const { code, out } = await run(
      "--sub",
      "ada",
      "--config",
      fileWith(JSON.stringify({ auth: { jwtSecret: secret }, port: -1 })),
    );

    expect(code).toBe(0);
    expect(await createVerifier(auth)(out.trim())).toMatchObject({ kind: "valid" });
  });

  test.each([
    [[], "Say whom the token is for"],
    [["--sub", ""], "Say whom the token is for"],
    [
      ["--sub", "ada", "--expires", "soon"],
      '--expires takes a number and a unit, as in 30s, 15m, 1h or 7d, not "soon"',
    ],
    [["--sub", "ada", "--expires", "0s"], "--expires takes"],
    [["--sub", "ada", "--claim", "role"], '--claim takes NAME=VALUE, not "role"'],
    [["--sub", "ada", "--claim", "exp=1"], "--claim cannot set exp: use --expires"],
    [["--sub", "ada", "--clam", "a=b"], "Did you mean --claim?"],
    [["ada"], 'does not take "ada"'],
  ])("%j is a usage error: %s", async (args, message) => {
    const { code, out, err } = await run(...args);

    expect([code, out]).toEqual([64, ""]);
    expect(err).toContain(message);
  });

  test.each([
    ["", "There is no secret to sign with"],
    ["short", "at least 32 bytes"],
  ])("the secret %j exits 78", async (value, message) => {
    vi.stubEnv("ALLCORES_AUTH_JWT_SECRET", value);

    const { code, out, err } = await run("--sub", "ada");

    expect([code, out]).toEqual([78, ""]);
    expect(err).toContain(message);
    expect(err).not.toContain("short.");
  });

  test("a secret file that cannot be read exits 78", async () => {
    const { code, err } = await run("--sub", "ada", "--secret-file", join(folder, "missing"));

    expect(code).toBe(78);
    expect(err).toContain("cannot be read");
  });
});
