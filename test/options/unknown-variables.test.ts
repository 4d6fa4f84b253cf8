import { describe, expect, test } from "vitest";
import { describeUnknownVariables } from "../../src/options/unknown-variables.ts";

describe("describeUnknownVariables", () => {
  test.each([
    ["ALLCORES_LIMITS_MAX_DEPT", "Did you mean ALLCORES_LIMITS_MAX_DEPTH?"],
    ["ALLCORES_PORT", "Did you mean PORT?"],
    ["ALLCORES_WORKERS", "Did you mean WEB_CONCURRENCY?"],
    ["ALLCORES_CPU_THREADS_FILE", "which sets no option."],
    ["ALLCORES_SERVICE_HOST", "which sets no option."],
  ])("%s is told about", (variable, words) => {
    const [text, ...more] = describeUnknownVariables({ [variable]: "1" });

    expect(more).toEqual([]);
    expect(text).toContain(`${variable}, which sets no option`);
    expect(text).toContain(words);
  });

  test("says nothing of options, of files with secrets, and of what is not allcores'", () => {
    const env = { PORT: "1", ALLCORES_BUS: "ipc", ALLCORES_ADMIN_TOKEN_FILE: "x", ALLCORES_TEST_ECHOES: "1", PATH: "" };

    expect(describeUnknownVariables(env)).toEqual([]);
  });
});
