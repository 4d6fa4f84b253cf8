// The demo as people use it: headless Chromium, a real box with two workers.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { FRACTAL } from "../../src/demo/page/protocol.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { hasChromium, launchChromium } from "../helpers/chromium.ts";
import { enter, enterElsewhere, openTab, Person } from "../helpers/demo-page.ts";
import { until } from "../helpers/until.ts";

/** What Chromium says by itself when a connection breaks. */
const NETWORK_NOISE = /Failed to load resource|WebSocket connection to/;

/** In the first picture. */
function countColours({ page }: Person): Promise<number> {
  return page
    .locator("canvas")
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      if (canvas.width === 0) return 0;
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      const colours = new Set<number>();
      for (let index = 0; index < data.length; index += 4) {
        colours.add(((data[index] ?? 0) << 16) | ((data[index + 1] ?? 0) << 8) | (data[index + 2] ?? 0));
      }
      return colours.size;
    });
}

/** Whoever entered on a worker that was not wanted, and closed the page while polling, is here until the ping times out. */
async function untilPeopleAre(expected: string[], watcher: Person): Promise<void> {
  let seen: string[] = [];
  await until(`${watcher.name} sees ${expected.join(" and ")}`, async () => {
    seen = await watcher.people();
    return seen.join() === expected.join();
  }).catch((error: unknown) => {
    throw new Error(`${watcher.name} sees ${seen.join(" and ")}.`, { cause: error });
  });
}

describe.skipIf(!hasChromium)("the demo in a browser", () => {
  let box: TestBox;
  let browser: Browser;
  let rooms = 0;
  let people: Person[] = [];

  beforeAll(async () => {
    [box, browser] = await Promise.all([startBox({ workers: 2 }), launchChromium()]);
  });

  afterAll(async () => {
    await browser?.close();
    await box?.stop();
  });

  afterEach(async () => {
    for (const { page } of people) await page.context().close();
    people = [];
  });

  function newRoom(): string {
    return `room ${++rooms}`;
  }

  /** Two people on different workers. */
  async function pair(room = newRoom()): Promise<[ada: Person, bob: Person]> {
    const ada = await enter(browser, box.url, "Ada", room);
    const bob = await enterElsewhere(browser, box.url, "Bob", room, await ada.slot());
    people.push(ada, bob);
    return [ada, bob];
  }

  function complaints(): string[] {
    return people.flatMap((person) => person.complaints);
  }

  test("carries messages both ways between workers, as Markdown, with the worker each came from", async () => {
    const [ada, bob] = await pair();

    await ada.say("**hello** from `here`");
    await bob.message("hello from here").waitFor();
    await bob.say("hello *back*");
    await ada.message("hello back").waitFor();

    expect(await bob.message("hello from here").locator(".body").innerHTML()).toContain("<strong>hello</strong>");
    expect(await bob.message("hello from here").locator(".worker-badge").textContent()).toBe(
      `worker ${await ada.slot()}`,
    );
    expect(await ada.message("hello back").locator(".worker-badge").textContent()).toBe(`worker ${await bob.slot()}`);
    expect(complaints()).toEqual([]);
  });

  test("shows an author that a message was sent, reached others, and was seen", async () => {
    const [ada, bob] = await pair();
    await bob.page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    });

    await ada.say("have you seen this?");
    const tick = ada.message("have you seen this?").locator(".tick-text");
    await until("it reached Bob's tab", async () => (await tick.textContent()) === "Reached 1 tab");
    await bob.page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });

    await until("Bob has seen it", async () => (await tick.textContent()) === "Seen by Bob");
    expect(complaints()).toEqual([]);
  });

  test("counts people by person over tabs, and forgets who is gone", async () => {
    const [ada, bob] = await pair();

    const room = (await ada.page.locator("#room-title").textContent()) ?? "";
    const secondTab = await openTab(ada.page.context(), box.url, "Ada", room);
    await untilPeopleAre(["Ada, 2 tabs", "Bob, you"], bob);
    await secondTab.page.close();
    await untilPeopleAre(["Ada", "Bob, you"], bob);
    await ada.page.close();

    await untilPeopleAre(["Bob, you"], bob);
  });

  test("says who is typing, until they stop", async () => {
    const [ada, bob] = await pair();
    const typing = bob.page.locator("#typing");

    // It is volatile: while a page is still going over from polling to WebSocket, it may miss one.
    await until("Bob sees it", async () => {
      await ada.page.getByRole("textbox", { name: "Message" }).press("m");
      return (await typing.textContent()) === "Ada is typing";
    });

    await until("and that it ended", async () => (await typing.textContent()) === "");
  });

  test("draws /fractal tile by tile for everybody, and goes deeper where it is clicked", async () => {
    const [ada, bob] = await pair();

    await ada.say("/fractal -0.748 0.1115 250");
    for (const { page } of [ada, bob]) await page.getByText(/s of work on \d threads?/).waitFor();
    const colours = await countColours(bob);
    await bob.page.locator("canvas").click({ position: { x: 100, y: 100 } });

    expect(colours).toBeGreaterThan(50);
    await until("the deeper view is there for Ada", async () => (await ada.page.locator("canvas").count()) === 2);
    await until("and complete", async () => (await ada.page.getByText(/×1000 · .* s of work/).count()) === 1);
    expect(complaints()).toEqual([]);
  });

  test("lets pictures rest that are out of sight, and paints them again", async () => {
    const [ada] = await pair();
    await ada.say("/fractal -0.748 0.1115 250");
    await ada.page.getByText(/s of work on/).waitFor();
    const before = await countColours(ada);

    await ada.say("far below\n\n".repeat(100));
    await until("the picture rests", async () => (await countColours(ada)) === 0);
    await ada.page.locator("canvas").scrollIntoViewIfNeeded();

    await until("it is painted again", async () => (await countColours(ada)) === before);
  });

  test("shows who comes later what was said, and draws the pictures again", async () => {
    const [ada] = await pair();
    const room = (await ada.page.locator("#room-title").textContent()) ?? "";
    await ada.say("said before you came");
    await ada.say("/fractal 2 2 4");
    await ada.page.getByText(/s of work on/).waitFor();

    const cem = await enter(browser, box.url, "Cem", room);
    people.push(cem);

    await cem.message("said before you came").waitFor();
    await cem.page.getByText(/s of work on/).waitFor();
    expect(await cem.page.locator(".tiles .done").count()).toBe(FRACTAL.tileCount);
    expect(complaints()).toEqual([]);
  });

  test("survives the death of a worker: a banner, a return, nothing lost, nothing twice, no ghost", async () => {
    const [ada, bob] = await pair();
    await ada.say("before");
    await bob.message("before").waitFor();
    const slot = await ada.slot();
    const pid = (await box.status()).workers.find((worker) => worker.slot === slot)?.pid ?? 0;

    process.kill(pid, "SIGKILL");
    await ada.page.getByText("Connection lost. Trying to reconnect…").waitFor();
    await ada.say("while away");
    await ada.page.getByText(/Back again, now on worker \d/).waitFor();
    await bob.message("while away").waitFor();
    await bob.say("welcome back");
    await ada.message("welcome back").waitFor();

    for (const { page } of [ada, bob]) {
      expect(await page.locator(".message .body").allInnerTexts()).toEqual(["before", "while away", "welcome back"]);
    }
    await untilPeopleAre(["Ada", "Bob, you"], bob);
    expect(complaints().filter((complaint) => !NETWORK_NOISE.test(complaint))).toEqual([]);
  });

  test("keeps the history when every worker has died in turn", async () => {
    const [ada, bob] = await pair();
    const room = (await ada.page.locator("#room-title").textContent()) ?? "";
    await ada.say("to be kept");
    await bob.message("to be kept").waitFor();

    for (const slot of [0, 1]) {
      const { pid } = (await box.status()).workers[slot] ?? { pid: 0 };
      process.kill(pid, "SIGKILL");
      await until("the slot is filled again", async () => {
        const worker = (await box.status()).workers[slot];
        return worker?.state === "ready" && worker.pid !== pid;
      });
    }

    const cem = await enter(browser, box.url, "Cem", room);
    people.push(cem);
    await cem.message("to be kept").waitFor();
  });

  test("runs nothing that somebody wrote, and lets no other HTML in", async () => {
    const [ada, bob] = await pair();

    await ada.say(
      `<img src=x onerror="document.title='owned'"> [x](javascript:alert(1)) ![y](https://x.example/y.png) end`,
    );
    await bob.message("end").waitFor();
    const body = bob.message("end").locator(".body");
    const wayAround = await bob.page.evaluate(() => {
      try {
        document.body.insertAdjacentHTML("beforeend", "<img>");
        return "let in";
      } catch (error) {
        return (error as Error).name;
      }
    });

    expect(await body.locator("img, script, a[href^='javascript']").count()).toBe(0);
    expect(await bob.page.title()).not.toBe("owned");
    expect(wayAround).toBe("TypeError");
  });

  test("tells people kindly what is refused", async () => {
    const ada = new Person(await browser.newPage(), "Ada");
    people.push(ada);
    await ada.page.goto(box.url);
    await ada.page.getByRole("textbox", { name: "Your name" }).fill("Ada");
    await ada.page.getByRole("textbox", { name: "Room" }).fill("a/b");

    await ada.page.getByRole("button", { name: "Join" }).click();
    await ada.page
      .getByRole("alert")
      .getByText(/A room has 1 to 40 letters/)
      .waitFor();
    await ada.join(box.url, newRoom());
    await ada.say("/fractal over there");

    await ada.message("Not sent. Write /fractal, or /fractal x y zoom").waitFor();
    await ada.say("then not");
    await ada.message("Sent").filter({ hasText: "then not" }).waitFor();

    expect(await ada.page.locator(".message .body").allInnerTexts()).toEqual(["/fractal over there", "then not"]);
    expect(complaints()).toEqual([]);
  });
});
