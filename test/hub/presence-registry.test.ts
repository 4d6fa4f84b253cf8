import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PresenceMember, RoomDiff } from "../../src/bus/presence-messages.ts";
import { PresenceRegistry } from "../../src/hub/presence-registry.ts";

const GRACE_MS = 100;

function registry(options: { graceMs?: number; maxEntries?: number } = {}): PresenceRegistry<string> {
  return new PresenceRegistry({ graceMs: GRACE_MS, maxEntries: 1000, ...options });
}

const entry = (user: string, socket = user, worker = "w1", room = "lobby") => ({ worker, socket, room, user });
const counts = (members: readonly PresenceMember[]) => Object.fromEntries(members.map((m) => [m.user, m.count]));

describe("PresenceRegistry", () => {
  test("counts a user's connections over sockets and workers as one user", () => {
    const presence = registry();

    presence.join(entry("ann", "tab-1", "w1"));
    presence.join(entry("ann", "tab-2", "w1"));
    presence.join(entry("ann", "phone", "w2"));
    presence.join(entry("bob", "tab-3", "w2"));

    expect(counts(presence.state("lobby").members)).toEqual({ ann: 3, bob: 1 });
  });

  test("tells joins, changes and leaves in diffs whose versions follow each other", () => {
    const presence = registry();

    presence.join({ ...entry("ann"), info: { colour: "red" } });
    const joined = presence.takeChanges();
    presence.join({ ...entry("ann"), info: { colour: "blue" } });
    const changed = presence.takeChanges();
    presence.leave("w1", "ann", "lobby");
    const left = presence.takeChanges();

    const member = { user: "ann", info: { colour: "red" }, count: 1 };
    expect(joined).toEqual([{ room: "lobby", version: 1, joined: [member], left: [], updated: [] }]);
    expect(changed).toMatchObject([{ version: 2, joined: [], updated: [{ info: { colour: "blue" } }] }]);
    expect(left).toEqual([{ room: "lobby", version: 3, joined: [], left: ["ann"], updated: [] }]);
  });

  test("says nothing of what cancels out between two diffs", () => {
    const presence = registry();

    presence.join(entry("ann"));
    presence.leave("w1", "ann", "lobby");

    expect(presence.takeChanges()).toEqual([]);
    expect(presence.rooms).toBe(0);
  });

  test("a user who returns within the grace never left", () => {
    const presence = registry();
    presence.join(entry("ann", "old", "w1"));
    presence.takeChanges();

    presence.drop("w1", "old", 0);
    const lost = presence.takeChanges();
    presence.expire(GRACE_MS - 1);
    presence.join(entry("ann", "new", "w2"));
    presence.expire(GRACE_MS * 2);

    expect([lost, presence.takeChanges()]).toEqual([[], []]);
    expect(counts(presence.state("lobby").members)).toEqual({ ann: 1 });
  });

  test("a user who does not return is gone when the grace is over, not before", () => {
    const presence = registry();
    presence.join(entry("ann"));
    presence.takeChanges();

    presence.drop("w1", "ann", 1000);
    presence.expire(1000 + GRACE_MS - 1);
    const early = presence.takeChanges();
    const expiresAt = presence.nextExpiryAt;
    presence.expire(1000 + GRACE_MS);

    expect(early).toEqual([]);
    expect(expiresAt).toBe(1000 + GRACE_MS);
    expect(presence.takeChanges()).toMatchObject([{ left: ["ann"] }]);
    expect(presence.nextExpiryAt).toBeUndefined();
  });

  test("closing one of two tabs is seen at once", () => {
    const presence = registry();
    presence.join(entry("ann", "tab-1"));
    presence.join(entry("ann", "tab-2"));
    presence.takeChanges();

    presence.drop("w1", "tab-1", 0);

    expect(presence.takeChanges()).toMatchObject([{ updated: [{ user: "ann", count: 1 }] }]);
  });

  test("leaving on purpose knows no grace", () => {
    const presence = registry();
    presence.join(entry("ann"));
    presence.takeChanges();

    presence.leave("w1", "ann", "lobby");

    expect(presence.takeChanges()).toMatchObject([{ left: ["ann"] }]);
  });

  test("when a worker dies and all its users return elsewhere, nobody notices", () => {
    const presence = registry();
    for (const tab of ["tab-1", "tab-2"]) presence.join(entry("ann", tab, "w1"));
    presence.join(entry("bob", "bob", "w2"));
    presence.takeChanges();

    presence.dropWorker("w1", 0);
    const diffs = [...presence.takeChanges()];
    for (const tab of ["tab-3", "tab-4"]) presence.join(entry("ann", tab, "w2"));
    presence.expire(GRACE_MS);

    expect([...diffs, ...presence.takeChanges()]).toEqual([]);
    expect(counts(presence.state("lobby").members)).toEqual({ ann: 2, bob: 1 });
  });

  test("without a grace a lost user is gone at once", () => {
    const presence = registry({ graceMs: 0 });
    presence.join(entry("ann"));
    presence.takeChanges();

    presence.dropWorker("w1", 0);

    expect(presence.takeChanges()).toMatchObject([{ left: ["ann"] }]);
    expect(presence.entries).toBe(0);
  });

  test("a socket that joins again under another name is that user's from then on", () => {
    const presence = registry();
    presence.join(entry("ann", "tab"));
    presence.takeChanges();

    presence.join(entry("bob", "tab"));

    expect(presence.takeChanges()).toMatchObject([{ left: ["ann"], joined: [{ user: "bob", count: 1 }] }]);
    expect(presence.entries).toBe(1);
  });

  test("a room that comes back goes on counting versions where it stopped", () => {
    const presence = registry();
    presence.join(entry("ann"));
    presence.takeChanges();
    presence.leave("w1", "ann", "lobby");
    presence.takeChanges();

    presence.join(entry("ann"));

    expect(presence.takeChanges()).toMatchObject([{ version: 3 }]);
  });

  test("one entry more than allowed is refused with a coded error, and one that leaves makes room", () => {
    const presence = registry({ maxEntries: 2 });
    presence.join(entry("ann"));
    presence.join(entry("bob"));

    const refused = () => presence.join(entry("eve"));

    expect(refused).toThrow(expect.objectContaining({ code: "ALLCORES_ERR_PRESENCE_FULL" }));
    expect(counts(presence.state("lobby").members)).toEqual({ ann: 1, bob: 1 });
    presence.leave("w1", "ann", "lobby");
    expect(refused).not.toThrow();
  });

  test("a full box still lets those return who are within their grace", () => {
    const presence = registry({ maxEntries: 1 });
    presence.join(entry("ann", "old"));
    presence.drop("w1", "old", 0);

    const join = () => presence.join(entry("ann", "new"));

    expect(join).not.toThrow();
    expect(presence.entries).toBe(1);
  });

  test("names the workers that have live members in a room, and no others", () => {
    const presence = registry();
    const first = presence.join(entry("ann", "a", "w1"));
    const second = presence.join(entry("bob", "b", "w1"));
    presence.join(entry("eve", "e", "w2"));

    presence.drop("w2", "e", 0);

    expect([first, second]).toEqual([true, false]);
    expect(presence.watchers("lobby")).toEqual(["w1"]);
  });
});

// The same rules, written down as plainly as possible: a list of entries, looked through every time.
class NaivePresence {
  readonly entries: { worker: string; socket: string; room: string; user: string; lostAt?: number }[] = [];

  join(join: ReturnType<typeof entry>): void {
    const same = this.entries.find((e) => isEntry(e, join) && e.user === join.user);
    if (same) return;
    this.leave(join.worker, join.socket, join.room);
    const lost = this.entries.findIndex((e) => e.room === join.room && e.user === join.user && e.lostAt !== undefined);
    if (lost !== -1) this.entries.splice(lost, 1);
    this.entries.push({ ...join });
  }

  leave(worker: string, socket: string, room: string): void {
    this.#remove((e) => isEntry(e, { worker, socket, room }));
  }

  drop(worker: string, socket: string, now: number): void {
    for (const e of this.entries.filter((e) => e.lostAt === undefined && e.worker === worker && e.socket === socket)) {
      const others = this.entries.filter((o) => o !== e && o.room === e.room && o.user === e.user);
      if (others.some((o) => o.lostAt === undefined)) this.#remove((o) => o === e);
      else this.#lose(e, now);
    }
  }

  dropWorker(worker: string, now: number): void {
    for (const e of this.entries.filter((e) => e.lostAt === undefined && e.worker === worker)) this.#lose(e, now);
  }

  expire(now: number): void {
    this.#remove((e) => e.lostAt !== undefined && e.lostAt + GRACE_MS <= now);
  }

  count(room: string): Record<string, number> {
    const users: Record<string, number> = {};
    for (const e of this.entries) if (e.room === room) users[e.user] = (users[e.user] ?? 0) + 1;
    return users;
  }

  /** Lost entries are kept at the end, oldest first, as the first to be replaced. */
  #lose(lost: (typeof this.entries)[number], now: number): void {
    this.#remove((e) => e === lost);
    this.entries.push({ ...lost, lostAt: now });
  }

  #remove(isGone: (e: (typeof this.entries)[number]) => boolean): void {
    for (const e of this.entries.filter(isGone)) this.entries.splice(this.entries.indexOf(e), 1);
  }
}

function isEntry(
  e: { worker: string; socket: string; room: string; lostAt?: number },
  { worker, socket, room }: { worker: string; socket: string; room: string },
): boolean {
  return e.lostAt === undefined && e.worker === worker && e.socket === socket && e.room === room;
}

function applyDiff(published: Map<string, PresenceMember>, diff: RoomDiff): void {
  for (const member of diff.joined) {
    expect(published.has(member.user)).toBe(false);
    published.set(member.user, member);
  }
  for (const member of diff.updated) {
    expect(published.has(member.user)).toBe(true);
    published.set(member.user, member);
  }
  for (const user of diff.left) expect(published.delete(user)).toBe(true);
}

const WORKERS = ["w1", "w2"];
const ROOMS = ["lobby", "attic"];
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant("join" as const), fc.nat(1), fc.nat(3), fc.nat(1), fc.nat(2)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("leave" as const), fc.nat(1), fc.nat(3), fc.nat(1)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("drop" as const), fc.nat(1), fc.nat(3)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("dropWorker" as const), fc.nat(1)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("wait" as const), fc.nat(GRACE_MS)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("publish" as const)) },
);

describe("PresenceRegistry, over a restart of the box", () => {
  /** What the next box knows, when this one has lost all its workers. */
  function restarted(presence: PresenceRegistry<string>, now: number, options = {}): PresenceRegistry<string> {
    const next = registry(options);
    presence.dropWorker("w1", 0);
    presence.dropWorker("w2", 0);
    presence.takeChanges();
    next.restore(structuredClone(presence.snapshot()), now);
    return next;
  }

  test("who comes back in time was never away, and who does not is gone when their time is over", () => {
    const presence = registry();
    presence.join({ ...entry("ann", "tab", "w1"), info: { colour: "red" } });
    presence.join(entry("ann", "phone", "w2"));
    presence.join(entry("bob", "tab-2", "w2"));
    presence.takeChanges();
    const before = presence.state("lobby");

    // The box was down for longer than the grace, in which nobody could come back.
    const next = restarted(presence, GRACE_MS * 10);
    const after = next.state("lobby");
    next.join({ ...entry("ann", "tab", "w1"), info: { colour: "red" } });
    next.join(entry("ann", "phone", "w2"));
    const onReturn = next.takeChanges();
    next.expire(GRACE_MS * 11);
    const onExpiry = next.takeChanges();

    expect(after).toEqual(before);
    expect(onReturn).toEqual([]);
    expect(onExpiry).toMatchObject([{ room: "lobby", version: before.version + 1, left: ["bob"], joined: [] }]);
  });

  test("a room that was empty, and one for which there is no grace, go on counting versions", () => {
    const presence = registry();
    presence.join(entry("ann"));
    presence.takeChanges();
    const { version } = presence.state("lobby");

    const next = restarted(presence, 0, { graceMs: 0 });

    expect(next.rooms).toBe(0);
    expect(next.state("lobby")).toEqual({ version, members: [] });
  });

  test("no more entries are taken up than there may be", () => {
    const presence = registry();
    for (let i = 0; i < 10; i++) presence.join(entry(`u${i}`));

    expect(restarted(presence, 0, { maxEntries: 4 }).entries).toBe(4);
  });
});

describe("PresenceRegistry, whatever happens in whatever order", () => {
  test("counts as a naive model does, its diffs add up to its state, and nothing is left in the end", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const presence = registry();
        const naive = new NaivePresence();
        const published = new Map(ROOMS.map((room) => [room, new Map<string, PresenceMember>()]));
        const versions = new Map<string, number>();
        let now = 0;

        const publish = () => {
          for (const diff of presence.takeChanges()) {
            const last = versions.get(diff.room);
            const members = published.get(diff.room) ?? new Map();
            // An empty room is forgotten, and others may have counted on in the meantime.
            if (members.size > 0) expect(diff.version).toBe((last ?? 0) + 1);
            else expect(diff.version).toBeGreaterThan(last ?? 0);
            versions.set(diff.room, diff.version);
            applyDiff(members, diff);
          }
          for (const room of ROOMS) {
            const { members } = presence.state(room);
            expect(Object.fromEntries(published.get(room) ?? [])).toEqual(
              Object.fromEntries(members.map((member) => [member.user, member])),
            );
          }
        };

        for (const [what, a = 0, b = 0, c = 0, d = 0] of steps) {
          const worker = WORKERS[a] ?? "";
          const socket = `s${b}`;
          const room = ROOMS[c] ?? "";
          if (what === "join") for (const p of [presence, naive]) p.join({ worker, socket, room, user: `u${d}` });
          if (what === "leave") for (const p of [presence, naive]) p.leave(worker, socket, room);
          if (what === "drop") for (const p of [presence, naive]) p.drop(worker, socket, now);
          if (what === "dropWorker") for (const p of [presence, naive]) p.dropWorker(worker, now);
          if (what === "publish") publish();
          if (what === "wait") {
            now += a;
            for (const p of [presence, naive]) p.expire(now);
          }
          for (const r of ROOMS) expect(counts(presence.state(r).members)).toEqual(naive.count(r));
          expect(presence.entries).toBe(naive.entries.length);
        }
        publish();
        for (const worker of WORKERS) presence.dropWorker(worker, now);
        presence.expire(now + GRACE_MS);
        publish();

        expect([presence.entries, presence.rooms, presence.nextExpiryAt]).toEqual([0, 0, undefined]);
      }),
      { numRuns: 500 },
    );
  });
});
