import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Affinity } from "../../src/primary/affinity.ts";
import { fixture } from "../helpers/box.ts";
import { collectLog } from "../helpers/log-lines.ts";

describe("Affinity", () => {
  let errors: unknown[];
  let logged: ReturnType<typeof collectLog>;

  beforeEach(() => {
    errors = [];
    logged = collectLog();
  });

  function create(app: string, queryName = ""): Affinity {
    const onError = (error: unknown): void => void errors.push(error);
    const path = isAbsolute(app) ? app : fixture(app);
    return new Affinity({ appUrl: pathToFileURL(path).href, queryName, log: logged.log, onError });
  }

  function keyOf(affinity: Affinity, target: string, headers = ""): string | undefined {
    const head = Buffer.from(`GET ${target} HTTP/1.1\r\n${headers}\r\n`, "latin1");
    return affinity.keyOf(head, { method: "GET", target }, "192.0.2.1");
  }

  test("asks the app's function, which sees query and headers", async () => {
    const affinity = create("affinity-app.mjs");

    await affinity.load();

    expect(keyOf(affinity, "/?room=blue")).toBe("blue");
    expect(keyOf(affinity, "/?room=blue", "X-Room: red\r\n")).toBe("red");
    expect(keyOf(affinity, "/")).toBeUndefined();
    expect(keyOf(affinity, "/?room=")).toBeUndefined();
  });

  test("is loading until the app's module is there, once for all who ask", async () => {
    const affinity = create("affinity-app.mjs");

    const loads = [affinity.load(), affinity.load()];

    expect(affinity.isLoading).toBe(true);
    expect(loads[0]).toBe(loads[1]);
    await loads[0];
    expect(affinity.isLoading).toBe(false);
  });

  describe("after a reload", () => {
    const appWith = (name: string): string => `export default { affinity: ({ query }) => query.get("${name}") };`;
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "allcores-affinity-"));
    });
    afterEach(() => rm(folder, { recursive: true }));

    test.each([
      ["app.mjs", appWith],
      ["app.cjs", (name: string) => appWith(name).replace("export default", "module.exports =")],
    ])("asks the function that is on disk now (%s)", async (file, source) => {
      await writeFile(join(folder, file), source("old"));
      const affinity = create(join(folder, file));
      await affinity.load();
      await writeFile(join(folder, file), source("new"));

      await affinity.renew();

      expect(keyOf(affinity, "/?old=a&new=b")).toBe("b");
      expect(errors).toEqual([]);
    });

    test("keeps the function it has when the new one cannot be imported", async () => {
      await writeFile(join(folder, "app.mjs"), appWith("old"));
      const affinity = create(join(folder, "app.mjs"));
      await affinity.load();
      await writeFile(join(folder, "app.mjs"), "throw new Error();");

      await affinity.renew();

      expect(keyOf(affinity, "/?old=a")).toBe("a");
      expect(errors).toHaveLength(1);
    });

    test("asks nobody when the app has no function any more", async () => {
      const affinity = create("affinity-app.mjs");
      await affinity.load();

      affinity.forget();

      expect(keyOf(affinity, "/?room=blue")).toBeUndefined();
    });
  });

  test("reads the operator's query parameter when the app has no function", () => {
    const affinity = create("echo-app.mjs", "room");

    expect(keyOf(affinity, "/socket.io/?EIO=4&room=a%20b")).toBe("a b");
    expect(keyOf(affinity, "/socket.io/?EIO=4")).toBeUndefined();
  });

  test("knows no key without either", () => {
    expect(keyOf(create("echo-app.mjs"), "/?room=blue")).toBeUndefined();
  });

  test.each(["throws", "rejects", "number"])(
    "contains a function that goes wrong (%s), logs once, counts each",
    async (wrong) => {
      const affinity = create("affinity-app.mjs");
      await affinity.load();

      const keys = [1, 2, 3].map(() => keyOf(affinity, `/?broken=${wrong}&room=blue`));

      expect(keys).toEqual([undefined, undefined, undefined]);
      expect(errors).toHaveLength(3);
      expect(logged.lines).toHaveLength(1);
      expect(keyOf(affinity, "/?room=blue")).toBe("blue");
    },
  );

  test("goes on without the app's function when the module cannot be imported here", async () => {
    const affinity = create("throws-at-boot.mjs", "room");

    await affinity.load();

    expect(errors).toEqual([expect.objectContaining({ code: "ALLCORES_ERR_APP" })]);
    expect(affinity.isLoading).toBe(false);
    expect(keyOf(affinity, "/?room=blue")).toBe("blue");
  });
});
