// Who gets whose messages, and which load process holds which clients. Pure: decided once all clients are in.

import type { Reach } from "../scenario.ts";
import type { ClientSpec, LoadScript } from "./script.ts";

export interface Layout {
  /** By client id: the room whose messages it gets; -1: none. */
  readonly homes: Int32Array;
  /** By client id: the room it sends to; -1: none. */
  readonly sendRooms: Int32Array;
}

/** `workers` says, as far as it is known, on which worker a client is: a user's messages go to another one. */
export function layOut(reach: Reach, clients: readonly ClientSpec[], workers: ReadonlyMap<number, string>): Layout {
  const homes = new Int32Array(clients.length).fill(-1);
  const sendRooms = new Int32Array(clients.length).fill(-1);
  const partners = reach === "user" ? findPartners(clients, workers) : new Map<number, number>();
  for (const client of clients) {
    const home = homeOf(reach, client);
    homes[client.id] = home;
    if (client.flow >= 0) sendRooms[client.id] = partners.get(client.id) ?? home;
  }
  return { homes, sendRooms };
}

/** Deals clients out to `count` processes. A room stays in one process, unless there are too few rooms for that. */
export function dealClients(clients: readonly ClientSpec[], count: number): ClientSpec[][] {
  const rooms = new Set(clients.map(({ room }) => room)).size;
  const parts: ClientSpec[][] = Array.from({ length: count }, () => []);
  for (const client of clients) {
    const key = rooms >= 2 * count ? client.room : client.id;
    (parts[key % count] as ClientSpec[]).push(client);
  }
  return parts;
}

/** Place of a process among those that have senders of a flow, so that together they keep the flow's rate. */
export interface FlowShare {
  readonly share: number;
  readonly shares: number;
}

/** By process, then by flow; `undefined` for a process without senders of that flow. */
export function shareFlows(parts: readonly (readonly ClientSpec[])[], flowCount: number): (FlowShare | undefined)[][] {
  const flows = Array.from({ length: flowCount }, (_, flow) => flow);
  const sendersOf = (flow: number): number[] =>
    [...parts.keys()].filter((part) => parts[part]?.some((client) => client.flow === flow));
  const processes = flows.map(sendersOf);
  return parts.map((_, part) =>
    processes.map((senders) => {
      const share = senders.indexOf(part);
      return share < 0 ? undefined : { share, shares: senders.length };
    }),
  );
}

/** "slot", or "url:slot" when there are several servers, for every client whose app tells it. */
export function nameWorkers(
  { clients, urls }: Pick<LoadScript, "clients" | "urls">,
  slots: readonly (readonly [client: number, slot: unknown])[],
): Map<number, string> {
  const workers = new Map<number, string>();
  for (const [client, slot] of slots) {
    const url = clients[client]?.url ?? 0;
    workers.set(client, urls.length > 1 ? `${url}:${slot}` : String(slot));
  }
  return workers;
}

function homeOf(reach: Reach, client: ClientSpec): number {
  switch (reach) {
    case "room":
      return client.room;
    case "user":
      return client.id;
    case "all":
      return client.url;
    case "self":
      return -1;
  }
}

/** With clients sorted by worker, whoever is half a list away is on another worker, if workers are about equally full. */
function findPartners(clients: readonly ClientSpec[], workers: ReadonlyMap<number, string>): Map<number, number> {
  const partners = new Map<number, number>();
  for (const group of groupByUrl(clients)) {
    const sorted = group.toSorted((a, b) => (workers.get(a.id) ?? "").localeCompare(workers.get(b.id) ?? ""));
    for (const [place, client] of sorted.entries()) {
      const partner = sorted[(place + Math.ceil(sorted.length / 2)) % sorted.length] as ClientSpec;
      partners.set(client.id, partner.id);
    }
  }
  return partners;
}

function groupByUrl(clients: readonly ClientSpec[]): ClientSpec[][] {
  const groups = new Map<number, ClientSpec[]>();
  for (const client of clients) {
    const group = groups.get(client.url) ?? [];
    group.push(client);
    groups.set(client.url, group);
  }
  return [...groups.values()];
}
