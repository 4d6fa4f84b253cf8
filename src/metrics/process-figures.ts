// What the operating system and V8 say about this process. Where the system does not tell (no /proc), the family is empty.

import { readdir, stat } from "node:fs/promises";
import { getHeapStatistics } from "node:v8";
import { readMaxFds } from "../lib/max-fds.ts";
import { residentMemory } from "../lib/resident-memory.ts";
import { family, type MetricFamily, type MetricSample, single } from "./family.ts";

const FD_FOLDER = "/proc/self/fd";

const maxFds = readMaxFds();

export async function processFamilies(labels: MetricSample["labels"]): Promise<MetricFamily[]> {
  const openFds = await countOpenFds();
  const { user, system } = process.cpuUsage();
  return [
    single("allcores_process_resident_memory_bytes", residentMemory(), labels),
    single("allcores_process_heap_used_bytes", getHeapStatistics().used_heap_size, labels),
    single("allcores_process_cpu_seconds_total", (user + system) / 1e6, labels),
    family("allcores_process_open_fds", known(openFds, labels)),
    family("allcores_process_max_fds", known(maxFds, labels)),
  ];
}

/** Linux 6.2 and later tell the count as the folder's size; listing 20,000 names every second would cost too much. */
async function countOpenFds(): Promise<number | undefined> {
  try {
    const { size } = await stat(FD_FOLDER);
    return size > 0 ? size : (await readdir(FD_FOLDER)).length;
  } catch {
    return undefined;
  }
}

function known(value: number | undefined, labels: MetricSample["labels"]): MetricSample[] {
  return value === undefined ? [] : [{ labels, value }];
}
