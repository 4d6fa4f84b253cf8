// The sending half of a load process: every millisecond, whatever is due leaves. Nothing here waits for the server.

import type { EventTemplate } from "../contract.ts";
import { nowUs } from "./clock.ts";
import { FrameTemplate } from "./frame-template.ts";
import type { FlowShare } from "./layout.ts";
import type { LoadClient } from "./load-client.ts";
import { Rotation } from "./rotation.ts";
import { Schedule } from "./schedule.ts";
import { type Flow, type LoadScript, roomName, userName } from "./script.ts";

export interface FlowsOptions {
  readonly script: LoadScript;
  readonly clients: readonly LoadClient[];
  /** By flow: this process's place among those that send in it; missing where it has no senders. */
  readonly flowShares: readonly (FlowShare | undefined)[];
  /** Start of traffic on the machine's clock. */
  readonly zeroUs: number;
  /** Nothing that is due then or later is sent. */
  readonly endUs: number;
  /** By client id: the room it sends to. */
  readonly sendRooms: Int32Array;
  readonly maySend: (client: LoadClient) => boolean;
  /** Told how late each message left. */
  readonly onLag: (us: number, dueUs: number) => void;
}

interface RunningFlow {
  readonly schedule: Schedule;
  readonly senders: Rotation<LoadClient>;
}

const TICK_MS = 1;

export class Flows {
  readonly #options: FlowsOptions;
  readonly #flows: readonly RunningFlow[];
  #timer: NodeJS.Timeout | undefined;
  #endUs: number;
  #unsent = 0;

  constructor(options: FlowsOptions) {
    this.#options = options;
    this.#endUs = options.endUs;
    this.#flows = options.script.flows.flatMap((flow, index) => {
      const share = options.flowShares[index];
      return share === undefined ? [] : [this.#prepare(flow, index, share)];
    });
  }

  /** Messages that had no client to send them when they were due. */
  get unsent(): number {
    return this.#unsent;
  }

  start(): void {
    this.#sendDue(Math.min(nowUs(), this.#endUs));
    this.#timer = setTimeout(() => this.start(), TICK_MS);
  }

  /** The end, where it was not known from the start. */
  endAt(atUs: number): void {
    this.#endUs = atUs;
  }

  /** Sends what is due before the end, and stops. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#sendDue(this.#endUs);
  }

  #prepare(flow: Flow, index: number, { share, shares }: FlowShare): RunningFlow {
    const { clients, zeroUs } = this.#options;
    const senders = clients.filter(({ spec }) => spec.flow === index);
    for (const client of senders) this.#equip(client, flow);
    return {
      schedule: new Schedule(flow.ratePerSecond, share, shares, zeroUs),
      senders: new Rotation(senders),
    };
  }

  #equip(client: LoadClient, flow: Flow): void {
    const { script, sendRooms } = this.#options;
    const { id } = client.spec;
    const room = sendRooms[id] as number;
    const template = new FrameTemplate({
      template: script.protocol.events[flow.event] as EventTemplate,
      values: { room: roomName(room), user: userName(id), target: userName(room) },
      sender: id,
      payloadBytes: script.payloadBytes,
      asksAck: asksAck(flow, script),
      mask: client.mask,
    });
    client.outbox.equip({ template, room: Math.max(0, room), asksAck: asksAck(flow, script) });
  }

  #sendDue(untilUs: number): void {
    const { maySend, onLag, zeroUs } = this.#options;
    for (const { schedule, senders } of this.#flows) {
      for (let dueUs = schedule.take(untilUs); dueUs !== undefined; dueUs = schedule.take(untilUs)) {
        const isSent = senders.next(maySend)?.send(Math.floor(dueUs - zeroUs));
        if (isSent !== true) this.#unsent++;
        onLag(nowUs() - dueUs, dueUs);
      }
    }
  }
}

/** Whether the ack of this traffic is its result, or tells that the server took the message. */
function asksAck({ event }: Flow, { acksPublishes, protocol }: LoadScript): boolean {
  if (event === "publish") return acksPublishes || protocol.events.publish?.ack === "always";
  return event !== "direct" && event !== "broadcast";
}
