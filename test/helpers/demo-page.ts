// The demo's page in a headless browser, as a person uses it.

import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";

export class Person {
  readonly page: Page;
  readonly name: string;
  /** What the page complained about: scripts that failed, and what the browser refused. */
  readonly complaints: string[] = [];

  constructor(page: Page, name: string) {
    this.page = page;
    this.name = name;
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (line) => {
      if (line.type() === "error" || line.type() === "warning") this.complaints.push(line.text());
    });
  }

  async join(url: string, room: string): Promise<void> {
    await this.page.goto(url);
    await this.page.getByRole("textbox", { name: "Your name" }).fill(this.name);
    await this.page.getByRole("textbox", { name: "Room" }).fill(room);
    await this.page.getByRole("button", { name: "Join" }).click();
    await this.page.getByRole("heading", { name: room, level: 1 }).waitFor();
  }

  /** The worker that serves this page. */
  async slot(): Promise<number> {
    const badge = (await this.page.locator("#badge").textContent()) ?? "";
    if (!badge.startsWith("worker ")) throw new Error(`${this.name} is in no room.`);
    return Number(badge.slice("worker ".length));
  }

  async say(text: string): Promise<void> {
    await this.page.getByRole("textbox", { name: "Message" }).fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** Goes, and says so: of a page that is closed while it polls, the box learns when the ping times out. */
  async leave(): Promise<void> {
    await this.page.getByRole("button", { name: "Leave" }).click();
    await this.page.context().close();
  }

  /** The message with that text. */
  message(text: string): Locator {
    return this.page.locator(".message", { hasText: text });
  }

  /** Names in the list of people, with what stands beside them. */
  async people(): Promise<string[]> {
    const rows = this.page.locator("#people li");
    return rows.evaluateAll((elements) =>
      elements.map((row) =>
        [...row.children]
          .slice(1)
          .map(({ textContent }) => textContent)
          .join(", "),
      ),
    );
  }
}

/** A person with a browser of their own, in the room. */
export async function enter(
  browser: Browser,
  url: string,
  name: string,
  room: string,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext(options);
  return openTab(context, url, name, room);
}

export async function openTab(context: BrowserContext, url: string, name: string, room: string): Promise<Person> {
  const person = new Person(await context.newPage(), name);
  await person.join(url, room);
  return person;
}

/** A person whom another worker serves than `slot`. */
export async function enterElsewhere(
  browser: Browser,
  url: string,
  name: string,
  room: string,
  slot: number,
): Promise<Person> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const person = await enter(browser, url, name, room);
    if ((await person.slot()) !== slot) return person;
    await person.leave();
  }
  throw new Error(`Twenty pages in a row were served by worker ${slot}.`);
}
