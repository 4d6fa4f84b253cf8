import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
// The built one: it is the page that a browser gets.
import { AdminServer } from "../../../dist/src/admin/admin-server.js";
import { createLogger } from "../../../src/lib/logger.ts";
import { resolveOptions } from "../../../src/options/resolve.ts";
import type { BoxStatus } from "../../../src/primary/status.ts";
import { hasChromium, launchChromium } from "../../helpers/chromium.ts";
import { boxStatus, workerStatus } from "../box-status.ts";

const TOKEN = "s3cret-token";

describe.skipIf(!hasChromium)("the dashboard page", () => {
  let browser: Browser;
  let page: Page;
  let server: AdminServer;
  let status: BoxStatus;
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser.close());

  beforeEach(async () => {
    status = boxStatus({
      workers: [workerStatus(0, { connections: 11 }), workerStatus(1, { connections: 22, loopLagMs: 250 })],
      redis: { state: "connected", detail: "Since 12:00:00." },
    });
    const { options } = resolveOptions({ flags: { "admin-port": "0" }, env: { ALLCORES_ADMIN_TOKEN: TOKEN } });
    const metricsText = () => Promise.resolve("");
    server = new AdminServer({ options, log: createLogger({ level: "silent" }), status: () => status, metricsText });
    await server.start();

    complaints = [];
    page = await browser.newPage({ httpCredentials: { username: "", password: TOKEN } });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
  });

  afterEach(async () => {
    await page.close();
    await server.close();
  });

  test("shows the box, its workers and its parts, and obeys its own content policy", async () => {
    await page.goto(server.url);
    await page.getByRole("row", { name: /^1 ready 22 250 ms/ }).waitFor();

    expect(await page.title()).toBe("running · allcores");
    expect(await page.getByRole("listitem").filter({ hasText: "Connections" }).innerText()).toContain("33");
    expect(await page.locator(".panels").innerText()).toContain("Since 12:00:00.");
    expect(await page.locator("td.is-high").innerText()).toBe("250 ms");
    expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
  });

  test("follows what happens without being loaded again, and says it aloud", async () => {
    await page.goto(server.url);
    await page.getByRole("row", { name: /^1 ready/ }).waitFor();

    status = boxStatus({
      workers: [workerStatus(0), workerStatus(1, { state: "gone", pid: null, restarts: 3 })],
      redis: { state: "down", detail: "Since 12:01:00: connection refused." },
      traffic: { ...status.traffic, messagesIn: status.traffic.messagesIn + 5000 },
    });
    await page.getByRole("row", { name: /^1 gone/ }).waitFor();

    expect(await page.getByRole("status").textContent()).toBe("Worker 1 is gone. Redis is down.");
    expect(await page.getByRole("listitem").filter({ hasText: "Messages in" }).innerText()).toMatch(/\d\/s|K/);
  });

  test("a name that a worker could choose would be text, never markup", async () => {
    status = boxStatus({ redis: { state: "down", detail: "<img src=x onerror=alert(1)>" } });

    await page.goto(server.url);
    await page.getByText("<img src=x onerror=alert(1)>").waitFor();

    expect(await page.locator("img").count()).toBe(0);
  });

  test("says so when the box does not answer any more, and comes back with it", async () => {
    await page.goto(server.url);
    await page.getByRole("row", { name: /^1 ready/ }).waitFor();

    await page.route("**/api/status", (route) => route.abort());
    await page.locator(".badge", { hasText: "unreachable" }).waitFor();
    const footer = await page.locator("footer").innerText();
    await page.unroute("**/api/status");
    await page.locator(".badge", { hasText: "running" }).waitFor();

    expect(footer).toContain("No answer: it cannot be reached.");
    expect(await page.title()).toBe("running · allcores");
  });

  test.each([
    ["a phone", { width: 360, height: 740 }],
    ["a desk", { width: 1440, height: 900 }],
  ])("fits the width of %s", async (_what, viewport) => {
    await page.setViewportSize(viewport);

    await page.goto(server.url);
    await page.getByRole("row", { name: /^1 ready/ }).waitFor();

    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
  });
});
