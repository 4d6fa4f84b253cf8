// The dashboard: asks for the status every second while somebody looks, and shows it. It can change nothing.

import type { BoxStatus } from "../../primary/status.ts";
import { describeChanges } from "./changes.ts";
import { find, setBadge, setText } from "./dom.ts";
import { formatDuration } from "./format.ts";
import { History } from "./history.ts";
import { Panels } from "./panels.ts";
import { Tiles } from "./tiles.ts";
import { WorkersTable } from "./workers-table.ts";

const INTERVAL_MS = 1000;
const DEADLINE_MS = 4000;

const history = new History();
const tiles = new Tiles(find("tiles"));
const workers = new WorkersTable(find("workers"));
const panels = new Panels(find("panels"));
const announcer = find("announcer");

let last: BoxStatus | undefined;
let lastAt = 0;

function show(status: BoxStatus): void {
  const now = Date.now();
  const moment = history.add(status, now);
  showState(status.state);
  const uptime = formatDuration(now - Date.parse(status.startedAt));
  setText(find("box-facts"), `${status.url} · bus ${status.bus} · version ${status.version} · up ${uptime}`);
  tiles.update(moment, status, history);
  workers.update(status.workers, history);
  panels.update(status);
  setText(find("updated"), "Live, every second");
  announce(last === undefined || isStale() ? [`The box is ${status.state}.`] : describeChanges(last, status));
  document.body.classList.remove("is-stale");
  last = status;
  lastAt = now;
}

function showUnreachable(reason: string): void {
  if (!isStale()) announce([`The box does not answer: ${reason}.`]);
  showState("unreachable");
  const since = lastAt === 0 ? "" : ` Numbers are ${formatDuration(Date.now() - lastAt)} old.`;
  setText(find("updated"), `No answer: ${reason}.${since}`);
  document.body.classList.add("is-stale");
}

/** In the tab's title too: this page is often not the one in front. */
function showState(state: string): void {
  setBadge(find("box-state"), state);
  document.title = `${state} · allcores`;
}

function isStale(): boolean {
  return document.body.classList.contains("is-stale");
}

function announce(sentences: readonly string[]): void {
  if (sentences.length > 0) setText(announcer, sentences.join(" "));
}

async function fetchStatus(): Promise<BoxStatus> {
  const response = await fetch("/api/status", { cache: "no-store", signal: AbortSignal.timeout(DEADLINE_MS) });
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  return response.json();
}

async function poll(): Promise<void> {
  if (!document.hidden) {
    try {
      show(await fetchStatus());
    } catch (error) {
      showUnreachable(error instanceof TypeError ? "it cannot be reached" : (error as Error).message);
    }
  }
  setTimeout(poll, INTERVAL_MS);
}

void poll();
