// Whether everybody can use the demo: with the keyboard, a screen reader, little contrast, a phone, or a token.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signToken } from "../../src/auth/jwt.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { hasChromium, launchChromium } from "../helpers/chromium.ts";
import { findFaintTexts } from "../helpers/contrast.ts";
import { enter, Person } from "../helpers/demo-page.ts";

let browser: Browser;
let people: Person[] = [];
let rooms = 0;

function newRoom(): string {
  return `room ${++rooms}`;
}

beforeAll(async () => {
  if (hasChromium) browser = await launchChromium();
});

afterAll(() => browser?.close());

afterEach(async () => {
  for (const { page } of people) await page.context().close();
  people = [];
});

/** A person with a page, at the door. */
async function atTheDoor(url: string): Promise<Person> {
  const person = new Person(await (await browser.newContext()).newPage(), "Ada");
  people.push(person);
  await person.page.goto(url);
  return person;
}

describe.skipIf(!hasChromium)("the demo for everybody", () => {
  let box: TestBox;

  beforeAll(async () => {
    box = await startBox({ workers: 1 });
  });

  afterAll(() => box?.stop());

  test("can be used with the keyboard alone", async () => {
    const ada = await atTheDoor(box.url);
    const { keyboard } = ada.page;

    await keyboard.type("Ada");
    await keyboard.press("Tab");
    await keyboard.type(newRoom());
    await keyboard.press("Enter");
    await ada.page.getByRole("log", { name: "Messages" }).waitFor({ state: "attached" });
    await keyboard.type("one");
    await keyboard.press("Shift+Enter");
    await keyboard.type("two");
    await keyboard.press("Enter");

    await ada.message("one").waitFor();
    expect(await ada.message("one").locator(".body").innerText()).toBe("one\ntwo");
    expect(await ada.page.evaluate(() => document.activeElement?.id)).toBe("text");
  });

  test("gives everything a name that a screen reader can say", async () => {
    const room = newRoom();
    const ada = await enter(browser, box.url, "Ada", room);
    const bob = await enter(browser, box.url, "Bob", room);
    people.push(ada, bob);
    await ada.say("/fractal 2 2 4");
    await bob.page.getByText(/s of work on/).waitFor();

    const controls = bob.page.locator("button:visible, input:visible, textarea:visible, a:visible, [role=img]:visible");
    const nameless = await controls.evaluateAll((elements) =>
      elements
        .filter((element) => {
          const { labels } = element as HTMLInputElement;
          const name = element.getAttribute("aria-label") ?? labels?.[0]?.textContent ?? element.textContent;
          return (name ?? "").trim() === "";
        })
        .map(({ outerHTML }) => outerHTML),
    );

    expect(nameless).toEqual([]);
    expect(await bob.page.locator("html").getAttribute("lang")).toBe("en");
    expect(await bob.page.locator("h1:visible").count()).toBe(1);
    expect(await bob.page.locator("main:visible").count()).toBe(1);
    expect(await bob.page.getByRole("log").getAttribute("aria-live")).toBe("polite");
    const ids = await bob.page.locator("[id]").evaluateAll((elements) => elements.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(["light", "dark"] as const)("can be read in %s", async (colorScheme) => {
    const room = newRoom();
    const ada = await enter(browser, box.url, "Ada", room, { colorScheme });
    const bob = await enter(browser, box.url, "Bob", room, { colorScheme });
    people.push(ada, bob);
    await ada.say("text `code` https://a.example\n\n> quoted\n\n```\nblock\n```");
    await bob.message("quoted").waitFor();
    await bob.say("/fractal 9");
    await bob.message("Not sent").waitFor();

    const faint = [...(await ada.page.evaluate(findFaintTexts)), ...(await bob.page.evaluate(findFaintTexts))];

    expect(faint).toEqual([]);
  });

  test("fits a phone", async () => {
    const phone = { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true };
    const ada = await enter(browser, box.url, "Ada", newRoom(), phone);
    people.push(ada);
    await ada.say(
      `${"long".repeat(50)}\n\n\`\`\`\n${"wide ".repeat(50)}\n\`\`\`\n\n|${"a|".repeat(30)}\n|${"-|".repeat(30)}`,
    );
    await ada.message("wide").waitFor();

    const overflow = await ada.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await ada.page.getByRole("button", { name: "Room and people" }).click();
    await ada.page.getByText("Who serves you").waitFor();
    await ada.page.keyboard.press("Escape");
    await ada.page.getByText("Who serves you").waitFor({ state: "hidden" });

    expect(overflow).toBe(0);
    const sizes = await ada.page
      .locator("button:visible, textarea:visible")
      .evaluateAll((elements) => elements.map((element) => Math.round(element.getBoundingClientRect().height)));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(44);
  });
});

describe.skipIf(!hasChromium)("the demo on a box that asks for a token", () => {
  const secret = "a secret of thirty-two bytes or more";
  const { auth } = resolveOptions({ env: { ALLCORES_AUTH_JWT_SECRET: secret } }).options;
  let box: TestBox;

  beforeAll(async () => {
    box = await startBox({ workers: 1, env: { ALLCORES_AUTH_JWT_SECRET: secret } });
  });

  afterAll(() => box?.stop());

  test("asks for it, and calls people by its subject", async () => {
    const { token } = await signToken(auth, { sub: "grace" }, 600);
    const { page } = await atTheDoor(box.url);
    await page.getByRole("textbox", { name: "Your name" }).fill("Ada");
    await page.getByRole("button", { name: "Join" }).click();

    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Join" }).click();

    await page.locator("#people").getByText("grace").waitFor();
  });

  test("takes it from the address, and does not leave it there", async () => {
    const { token } = await signToken(auth, { sub: "grace" }, 600);
    const { page } = await atTheDoor(`${box.url}/#token=${token}`);

    await page.getByRole("button", { name: "Join" }).click();

    await page.locator("#people").getByText("grace").waitFor();
    expect(page.url()).not.toContain("token");
  });

  test("says what is wrong with a bad one, and asks again", async () => {
    const { page } = await atTheDoor(`${box.url}/#token=nonsense`);

    await page.getByRole("button", { name: "Join" }).click();

    await page.getByRole("alert").getByText(/token/i).waitFor();
    expect(await page.getByLabel("Token").isVisible()).toBe(true);
  });
});
