import { describe, expect, test } from "vitest";
import { identify } from "../../src/demo/identify.ts";

const request = { name: "Ada", key: "0123456789abcdef" };

describe("identify", () => {
  test("makes all tabs of a browser one person, without showing the browser's key", () => {
    const [one, other] = [identify(request), identify({ ...request, name: "Ada L." })];

    expect(other.user).toBe(one.user);
    expect(one.user).not.toContain(request.key);
  });

  test("goes by the token's subject when there is one", () => {
    const [here, elsewhere] = [identify(request, "ada"), identify({ ...request, key: "fedcba9876543210" }, "ada")];

    expect(elsewhere.user).toBe(here.user);
    expect(identify({ ...request, key: "ada-ada-ada-ada-" }).user).not.toBe(here.user);
  });
});
