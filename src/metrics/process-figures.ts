// What the operating system and V8 say about this process. Where the system does not tell (no /proc), the family is empty.

import { readdir, readFile, stat } from "node:fs/promises";
import { family, type MetricFamily, type MetricSample, single } from "./family.ts";

const FD_FOLDER = "/proc/self/fd";

let maxFds: Promise<number | undefined> | undefined;

export async function processFamilies(labels: MetricSample["labels"]): Promise<MetricFamily[]> {
  maxFds ??= readMaxFds();
  const [openFds, limit] = await Promise.all([countOpenFds(), maxFds]);
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    single("allcores_process_resident_memory_bytes", rss, labels),
    single("allcores_process_heap_used_bytes", heapUsed, labels),
    single("allcores_process_cpu_seconds_total", (user + system) / 1e6, labels),
    family("allcores_process_open_fds", known(openFds, labels)),
    family("allcores_process_max_fds", known(limit, labels)),
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

async function readMaxFds(): Promise<number | undefined> {
  try {
    const limits = await readFile("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

function known(value: number | undefined, labels: MetricSample["labels"]): MetricSample[] {
  return value === undefined ? [] : [{ labels, value }];
}
