import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Admission, type Ticket } from "../../../src/primary/admission/admission.ts";

const NONE = {
  maxConnections: 0,
  connectionsPerAddress: 0,
  connectsPerSecondPerAddress: 0,
  connectBurstPerAddress: 100,
};
const WORKER = { slot: 0, incarnation: 1 };

/** An admission with a clock of its own. */
function admissionWith(limits: Partial<typeof NONE>) {
  const clock = { nowMs: 0 };
  return { clock, admission: new Admission({ ...NONE, ...limits }, () => clock.nowMs) };
}

/** Opens a connection and begins something new on it: the ticket, or why not. */
function connect(admission: Admission, address = "192.0.2.1"): Ticket | string {
  const ticket = admission.arrive();
  if (typeof ticket === "string") return ticket;
  const refusal = admission.identify(ticket, address) ?? admission.admit(ticket);
  if (refusal === undefined) return ticket;
  admission.release(ticket);
  return refusal;
}

function ticketOf(answer: Ticket | string): Ticket {
  if (typeof answer === "string") throw new Error(`refused: ${answer}`);
  return answer;
}

describe("Admission", () => {
  test("refuses what is over the limit of the box, from whatever address, until one is gone", () => {
    const { admission } = admissionWith({ maxConnections: 2 });
    const first = ticketOf(connect(admission, "192.0.2.1"));
    connect(admission, "192.0.2.2");

    expect(connect(admission, "192.0.2.3")).toBe("box_full");
    admission.release(first);
    expect(connect(admission, "192.0.2.3")).toBeTypeOf("object");
  });

  test("refuses what is over the limit of its address, and of no other", () => {
    const { admission } = admissionWith({ connectionsPerAddress: 1 });
    connect(admission, "192.0.2.1");

    expect(connect(admission, "192.0.2.1")).toBe("address_full");
    expect(connect(admission, "::ffff:192.0.2.1")).toBe("address_full");
    expect(connect(admission, "192.0.2.2")).toBeTypeOf("object");
  });

  test("a worker that gave a connection back says nothing about it any more", () => {
    const { admission } = admissionWith({ maxConnections: 1 });
    const ticket = ticketOf(connect(admission));
    const former = admission.handTo(WORKER, ticket);
    const next = { slot: 1, incarnation: 1 };
    const now = admission.handTo(next, ticket);

    admission.closed(WORKER, [former]);
    admission.gone(WORKER);
    expect(admission.counted).toBe(1);
    admission.closed(next, [now]);

    expect(admission.counted).toBe(0);
  });

  test("counts the addresses of an IPv6 /64 as one", () => {
    const { admission } = admissionWith({ connectionsPerAddress: 1 });
    connect(admission, "2001:db8::1");

    expect(connect(admission, "2001:db8::2")).toBe("address_full");
    expect(connect(admission, "2001:db8:0:1::1")).toBeTypeOf("object");
  });

  test("lets so many come at once, and then so many a second", () => {
    const { admission, clock } = admissionWith({ connectsPerSecondPerAddress: 2, connectBurstPerAddress: 3 });
    const comeAndGo = () => {
      const answer = connect(admission);
      if (typeof answer !== "string") admission.release(answer);
      return answer;
    };

    const atOnce = Array.from({ length: 4 }, comeAndGo);
    clock.nowMs += 500;
    const later = [comeAndGo(), comeAndGo()];

    expect(atOnce.filter((answer) => answer === "address_rate")).toHaveLength(1);
    expect(later.map((answer) => answer === "address_rate")).toEqual([false, true]);
  });

  test("does not count a session's further requests, but bounds them", () => {
    const { admission } = admissionWith({ connectionsPerAddress: 5 });
    const goOn = () => {
      const ticket = ticketOf(admission.arrive());
      return admission.identify(ticket, "192.0.2.1");
    };

    const answers = Array.from({ length: 20 }, goOn);

    expect(answers.filter((refusal) => refusal !== undefined)).toEqual([]);
    expect(admission.counted).toBe(0);
    expect(goOn()).toBe("address_full");
  });

  test("a worker that is done with a ticket, or gone, gives back what it held, and only that", () => {
    const { admission } = admissionWith({ maxConnections: 10 });
    const other = { slot: 0, incarnation: 2 };
    const numbers = Array.from({ length: 4 }, () => admission.handTo(WORKER, ticketOf(connect(admission))));
    admission.handTo(other, ticketOf(connect(admission)));

    admission.closed(WORKER, numbers.slice(0, 1));
    admission.closed(WORKER, numbers.slice(0, 1));
    admission.closed(other, numbers);
    const afterOne = admission.counted;
    admission.gone(WORKER);
    admission.gone(WORKER);

    expect(afterOne).toBe(4);
    expect(admission.counted).toBe(1);
  });

  test("a ticket taken back from a worker does not go with it", () => {
    const { admission } = admissionWith({ maxConnections: 10 });
    const ticket = ticketOf(connect(admission));
    admission.handTo(WORKER, ticket);

    admission.takeBack(ticket);
    admission.gone(WORKER);

    expect(admission.counted).toBe(1);
  });

  test("forgets an address when its last connection is gone and its bucket is full again", () => {
    const { admission, clock } = admissionWith({ connectsPerSecondPerAddress: 1, connectBurstPerAddress: 1 });
    admission.release(ticketOf(connect(admission, "192.0.2.1")));
    const before = admission.addresses;

    clock.nowMs += 1000;
    admission.release(ticketOf(connect(admission, "192.0.2.2")));

    expect(before).toBe(1);
    expect(admission.addresses).toBe(1);
  });

  test("whatever happens in whatever order, no limit is passed and every count returns to nothing", () => {
    const limits = { maxConnections: 7, connectionsPerAddress: 3 };
    const step = fc.record({
      kind: fc.constantFrom("connect", "goOn", "hand", "takeBack", "close", "die", "issue", "drop"),
      at: fc.nat(100),
      worker: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { admission } = admissionWith(limits);
        const tickets: Ticket[] = [];
        const pick = (at: number): Ticket | undefined => tickets[at % Math.max(1, tickets.length)];
        const counted = () => tickets.filter(({ isCounted, isReleased }) => isCounted && !isReleased);

        for (const { kind, at, worker } of steps) {
          const name = { slot: worker, incarnation: 1 };
          const ticket = pick(at);
          if (kind === "connect") {
            const answer = connect(admission, `192.0.2.${at % 4}`);
            if (typeof answer !== "string") tickets.push(answer);
          } else if (kind === "goOn") {
            const answer = admission.arrive();
            if (typeof answer !== "string") {
              tickets.push(answer);
              admission.identify(answer, `192.0.2.${at % 4}`);
            }
          } else if (kind === "issue") admission.closed(name, [Number(admission.issue(name, "192.0.2.1"))]);
          else if (kind === "die") admission.gone(name);
          else if (ticket === undefined || ticket.isReleased) continue;
          else if (kind === "hand") admission.handTo(name, ticket);
          else if (kind === "takeBack") admission.takeBack(ticket);
          else if (kind === "close" && ticket.at !== undefined) admission.closed(name, [ticket.at.number]);
          else if (kind === "drop") admission.release(ticket);

          expect(admission.counted).toBe(counted().length);
          expect(admission.counted).toBeLessThanOrEqual(limits.maxConnections);
          for (const { entry } of counted()) expect(entry?.counted).toBeLessThanOrEqual(limits.connectionsPerAddress);
        }
        for (const ticket of tickets) admission.release(ticket);

        expect([admission.counted, admission.open, admission.addresses]).toEqual([0, 0, 0]);
      }),
    );
  });
});
