import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { authIsOn, createVerifier, signToken } from "../../src/auth/jwt.ts";
import type { Options } from "../../src/options/options.ts";
import { resolveOptions } from "../../src/options/resolve.ts";

const jwtSecret = "0123456789abcdef0123456789abcdef";
const nowSeconds = Math.floor(Date.now() / 1000);

function authWith(more: Partial<Options["auth"]> = {}): Options["auth"] {
  return { jwtSecret, jwtAlgorithms: ["HS256"], jwtIssuer: "", jwtAudience: "", ...more };
}

function sign(claims: Record<string, unknown>, alg = "HS256", secret = jwtSecret): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.from(secret));
}

describe("createVerifier", () => {
  const verify = createVerifier(authWith());

  test("gives the claims of a good token", async () => {
    const token = await sign({ sub: "ada", room: 7, exp: nowSeconds + 60 });

    expect(await verify(token)).toEqual({ kind: "valid", claims: { sub: "ada", room: 7, exp: nowSeconds + 60 } });
  });

  test("takes a token without `exp`: it is good for ever", async () => {
    expect(await verify(await sign({ sub: "ada" }))).toMatchObject({ kind: "valid" });
  });

  test("tells expired from invalid", async () => {
    expect(await verify(await sign({ exp: nowSeconds - 60 }))).toMatchObject({ kind: "expired" });
  });

  test("allows for clocks that differ by some seconds", async () => {
    const late = await sign({ exp: nowSeconds - 2 });
    const early = await sign({ nbf: nowSeconds + 2 });

    expect(await verify(late)).toMatchObject({ kind: "valid" });
    expect(await verify(early)).toMatchObject({ kind: "valid" });
  });

  test("refuses a token that is not good yet", async () => {
    expect(await verify(await sign({ nbf: nowSeconds + 60 }))).toEqual({
      kind: "invalid",
      message: "The token is invalid: its `nbf` is missing or not accepted here.",
    });
  });

  test("refuses a token of another secret", async () => {
    const token = await sign({ sub: "ada" }, "HS256", jwtSecret.replace("0", "1"));

    expect(await verify(token)).toMatchObject({ kind: "invalid", message: expect.stringContaining("signature") });
  });

  test("refuses an algorithm that is not on the list, although the secret is right", async () => {
    const token = await sign({ sub: "ada" }, "HS512", jwtSecret.repeat(2));

    expect(await createVerifier(authWith({ jwtSecret: jwtSecret.repeat(2) }))(token)).toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("algorithm"),
    });
  });

  test("refuses a token without a signature", async () => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${encode({ alg: "none" })}.${encode({ sub: "ada" })}.`;

    expect(await verify(token)).toMatchObject({ kind: "invalid" });
  });

  test.each(["", "x", "a.b.c", "a.b.c.d.e", "\u0000", "x".repeat(16_000)])("refuses %j", async (token) => {
    expect(await verify(token)).toMatchObject({ kind: "invalid" });
  });

  test.each([
    [{ jwtIssuer: "https://id.example" }, { iss: "https://id.example" }, { iss: "https://evil.example" }],
    [{ jwtAudience: "chat" }, { aud: ["mail", "chat"] }, { aud: "mail" }],
  ])("checks what %j asks for", async (more, good, bad) => {
    const picky = createVerifier(authWith(more));

    expect(await picky(await sign(good))).toMatchObject({ kind: "valid" });
    expect(await picky(await sign(bad))).toMatchObject({ kind: "invalid" });
    expect(await picky(await sign({}))).toMatchObject({ kind: "invalid" });
  });
});

describe("signToken", () => {
  test("makes what the verifier of the same options takes", async () => {
    const auth = authWith({
      jwtSecret: jwtSecret.repeat(2),
      jwtAlgorithms: ["HS512"],
      jwtIssuer: "me",
      jwtAudience: "you",
    });

    const { token, claims } = await signToken(auth, { sub: "ada" }, 60);

    expect(claims).toMatchObject({ sub: "ada", iss: "me", aud: "you", exp: Number(claims.iat) + 60 });
    expect(await createVerifier(auth)(token)).toEqual({ kind: "valid", claims });
  });
});

describe("authIsOn", () => {
  test("says whether a secret is set", () => {
    expect(authIsOn(resolveOptions().options)).toBe(false);
    expect(authIsOn(resolveOptions({ file: { auth: { jwtSecret } } }).options)).toBe(true);
  });
});
