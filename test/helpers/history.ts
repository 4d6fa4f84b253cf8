// A history checker: clients in rooms say numbered things and keep what they hear; afterwards the histories are compared.
// All members of a room must have heard the same things in the same order, each once, and everything that was acked;
// what one of them said must stand in the order in which it was said.

/** A client that joins its room for good, says things and keeps what it hears. How it does that is up to its kind. */
export abstract class Member {
  readonly name: string;
  readonly room: string;
  /** What was heard, as `SENDER:NUMBER`; `null` where the client came back and was not recovered. */
  readonly heard: (string | null)[] = [];
  /** What was said, in order, by number: whether it was acked. */
  readonly said = new Map<number, boolean>();
  /** Process id of the worker it is on. */
  pid = 0;
  /** How often it was let in. */
  connections = 0;
  recoveries = 0;
  isIn = false;

  constructor(name: string, room: string) {
    this.name = name;
    this.room = room;
  }

  abstract get isConnected(): boolean;

  /** Loses the TCP connection without a word, and comes back by itself. */
  abstract cut(): void;

  abstract leave(): void;

  /** Sends an event, once it is connected. */
  protected abstract emit(event: string, args: readonly unknown[], onAck: () => void): void;

  /** Says one thing; what the box acks must be heard by all. `padding` makes it large. */
  say(number: number, padding = ""): void {
    this.said.set(number, false);
    this.emit("say", [this.room, this.name, number, padding], () => this.said.set(number, true));
  }

  hasAck(number: number): boolean {
    return this.said.get(number) === true;
  }

  protected onConnected(isRecovered: boolean): void {
    this.connections++;
    if (isRecovered) this.recoveries++;
    else if (this.isIn) this.heard.push(null);
    if (isRecovered && this.isIn) return;
    this.emit("join", [this.room], () => {
      this.isIn = true;
    });
  }

  protected onEvent(event: unknown, args: readonly unknown[]): void {
    if (event === "said") this.heard.push(`${args[0]}:${args[1]}`);
    if (event === "worker") this.pid = (args[0] as { pid: number }).pid;
  }
}

export interface Verdict {
  readonly deliveries: number;
  readonly acked: number;
  readonly recovered: number;
  readonly unrecovered: number;
  /** One line for each thing that must not be. */
  readonly faults: readonly string[];
}

export function judge(members: readonly Member[]): Verdict {
  const rooms = groupByRoom(members);
  const sum = (count: (member: Member) => number): number => members.reduce((all, member) => all + count(member), 0);
  return {
    deliveries: sum(({ heard }) => heard.filter((entry) => entry !== null).length),
    acked: sum((member) => ackedBy(member).length),
    recovered: sum(({ recoveries }) => recoveries),
    unrecovered: sum(({ heard }) => heard.filter((entry) => entry === null).length),
    faults: [...rooms].flatMap(([room, inRoom]) => judgeRoom(room, inRoom)),
  };
}

function groupByRoom(members: readonly Member[]): Map<string, Member[]> {
  const rooms = new Map<string, Member[]>();
  for (const member of members) {
    const inRoom = rooms.get(member.room);
    if (inRoom === undefined) rooms.set(member.room, [member]);
    else inRoom.push(member);
  }
  return rooms;
}

function ackedBy({ name, said }: Member): string[] {
  return [...said].flatMap(([number, isAcked]) => (isAcked ? `${name}:${number}` : []));
}

function judgeRoom(room: string, members: readonly Member[]): string[] {
  const whole = members.filter(({ heard }) => !heard.includes(null));
  const order = whole.reduce<readonly (string | null)[]>(
    (longest, { heard }) => (heard.length > longest.length ? heard : longest),
    [],
  );
  const places = new Map(order.map((entry, place) => [entry, place]));
  const faults = places.size === order.length ? [] : [`${room}: something was heard twice`];
  for (const { name, heard } of whole) {
    const place = order.findIndex((entry, i) => entry !== heard[i]);
    if (place !== -1) faults.push(`${room}: ${name} heard ${heard[place]} instead of ${order[place]} at ${place}`);
  }
  for (const member of members.filter((candidate) => !whole.includes(candidate))) {
    faults.push(...judgePartial(room, member, places));
  }
  const lost = members.flatMap(ackedBy).filter((entry) => whole.length > 0 && !places.has(entry));
  faults.push(...lost.map((entry) => `${room}: ${entry} was acked and not heard`));
  faults.push(...members.flatMap((member) => judgeSender(room, member, places)));
  return faults;
}

/** One that was not recovered at some point may miss things, but hears nothing twice and nothing out of order. */
function judgePartial(room: string, { name, heard }: Member, places: ReadonlyMap<string | null, number>): string[] {
  const seen = heard.flatMap((entry) => (entry === null ? [] : (places.get(entry) ?? [])));
  const isInOrder = seen.every((place, i) => i === 0 || place > (seen[i - 1] ?? -1));
  return isInOrder ? [] : [`${room}: ${name} heard things twice or out of order`];
}

/** What was said later comes later, on whichever connection. */
function judgeSender(room: string, { name, said }: Member, places: ReadonlyMap<string | null, number>): string[] {
  let last = -1;
  return [...said.keys()].flatMap((number) => {
    const place = places.get(`${name}:${number}`) ?? last;
    const isInOrder = place >= last;
    last = Math.max(last, place);
    return isInOrder ? [] : [`${room}: what ${name} said as no. ${number} was heard after something later`];
  });
}
