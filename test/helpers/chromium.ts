// A headless browser for tests. Without one they are skipped, loudly; with ALLCORES_TEST_REQUIRE_ALL=1 they fail.

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

export const hasChromium = existsSync(EXECUTABLE);

if (!hasChromium) {
  const advice = `no Chromium at ${EXECUTABLE}: install it or set CHROMIUM_PATH`;
  if (process.env.ALLCORES_TEST_REQUIRE_ALL === "1") throw new Error(advice);
  console.warn(`SKIPPED browser tests: ${advice}`);
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
}
