// Resident memory of this process, in bytes. Node opens a file to learn it, and throws where there is no file descriptor
// left: then it is what it was.

let latest = 0;

export function residentMemory(): number {
  try {
    latest = process.memoryUsage.rss();
  } catch {
    // Reported as it was the last time.
  }
  return latest;
}
