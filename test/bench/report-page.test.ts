import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page as BrowserPage } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { htmlPage, type Page } from "../../dist/src/bench/report/html.js";
import { hasChromium, launchChromium } from "../helpers/chromium.ts";

const report: Page = {
  title: "allcores bench <rooms>",
  facts: [["command", "allcores bench rooms --rate 2000"]],
  sections: [
    {
      title: "rooms",
      text: ["Every message reached every member."],
      tables: [{ title: "Figures", columns: ["server", "p99 ms"], rows: [["allcores", "7.1"]] }],
      bars: [
        {
          id: "cost",
          title: "Cost per message",
          caption: "By role.",
          unit: "CPU-µs",
          parts: ["primary", "workers"],
          rows: [{ name: "allcores", values: [0.8, 9.1] }],
        },
      ],
      charts: [
        {
          id: "latency",
          title: "Latency",
          caption: "By percentile.",
          x: { label: "percentile", scale: "nines" },
          y: { label: "ms", scale: "log" },
          series: [1, 2].map((factor) => ({
            name: `server ${factor}`,
            points: [2, 10, 100, 1000].map((x) => ({ x, y: Math.log10(x) * factor })),
          })),
        },
        {
          id: "scaling",
          title: "Capacity",
          caption: "A model.",
          x: { label: "cores", scale: "log" },
          y: { label: "messages/s", scale: "linear" },
          series: [
            {
              name: "model",
              isModel: true,
              points: [4, 8, 16].map((x) => ({ x, y: x * 10, low: x * 9, high: x * 11 })),
            },
          ],
          marks: [{ x: 8, label: "reload" }],
        },
      ],
    },
  ],
};

describe.skipIf(!hasChromium)("the report page", () => {
  let browser: Browser;
  let directory: string;
  let url: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "allcores-report-"));
    const file = join(directory, "report.html");
    await writeFile(file, htmlPage(report));
    url = pathToFileURL(file).href;
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await rm(directory, { recursive: true });
  });

  /** Opens the page with the network cut, and collects whatever it complains about. */
  async function open(colorScheme: "light" | "dark"): Promise<{ page: BrowserPage; complaints: string[] }> {
    const context = await browser.newContext({ colorScheme, viewport: { width: 900, height: 700 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (/^https?:/.test(request.url())) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    return { page, complaints };
  }

  test.each(["light", "dark"] as const)(
    "draws every chart in the %s scheme and needs nothing from the network",
    async (scheme) => {
      const { page, complaints } = await open(scheme);

      const painted = await page.$$eval("[data-chart] canvas", countPaintedPixels);

      expect(complaints).toEqual([]);
      expect(painted).toHaveLength(2);
      for (const pixels of painted) expect(pixels).toBeGreaterThan(1_000);
      expect(await page.locator("figure svg rect").count()).toBe(4);
    },
  );

  test.each(["light", "dark"] as const)("has text that stands out from its ground in the %s scheme", async (scheme) => {
    const { page } = await open(scheme);

    const colours = await page.$$eval("body, .note, thead th, dt", (elements) =>
      elements.map((e) => getComputedStyle(e).color),
    );
    const ground = await page.$eval("body", (body) => getComputedStyle(body).backgroundColor);

    for (const colour of colours) expect(contrast(colour, ground)).toBeGreaterThan(4.5);
  });

  test("draws its charts again when the colour scheme changes", async () => {
    const { page, complaints } = await open("light");
    const before = await page.$eval("[data-chart] canvas", (canvas) => (canvas as HTMLCanvasElement).toDataURL());

    await page.emulateMedia({ colorScheme: "dark" });

    await page.waitForFunction(
      (old) => document.querySelector<HTMLCanvasElement>("[data-chart] canvas")?.toDataURL() !== old,
      before,
    );
    expect(complaints).toEqual([]);
  });

  test("has the figures of each chart as a table that opens from the keyboard", async () => {
    const { page } = await open("light");
    const details = page.locator("details").first();

    await details.locator("summary").focus();
    await page.keyboard.press("Enter");

    expect(await details.getByRole("cell", { name: "9.10" }).isVisible()).toBe(true);
    expect(await page.getByRole("img", { name: /^Latency/ }).count()).toBe(1);
  });

  test("shows names as text, whatever is in them", async () => {
    const { page } = await open("light");

    expect(await page.locator("h1").textContent()).toBe("allcores bench <rooms>");
  });
});

/** How much of each canvas has colour. Runs in the browser. */
function countPaintedPixels(canvases: Element[]): number[] {
  return (canvases as HTMLCanvasElement[]).map((canvas) => {
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return pixels.filter((value, index) => index % 4 === 3 && value > 0).length;
  });
}

/** The contrast ratio of WCAG 2.2. */
function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: string): number {
  const [red, green, blue] = (rgb.match(/\d+/g) ?? []).map((channel) => {
    const share = Number(channel) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
