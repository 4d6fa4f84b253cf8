// Which Node versions allcores runs on. Imports nothing, so that it can be asked on a Node that is too old for the rest.

/** End of life of the release line, where it has passed: https://github.com/nodejs/release#release-schedule */
const ENDED_MAJORS: Readonly<Record<number, string>> = { 20: "April 2026", 21: "June 2024", 23: "June 2025" };

/** Why this Node cannot run allcores; `undefined` when it can. */
export function refuseNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return undefined;
  return `allcores needs Node 20.19 or newer, this is ${version}. Install Node 24: https://nodejs.org/en/download`;
}

/** What to say once at start; `undefined` when there is nothing to say. */
export function adviseNode(version: string): string | undefined {
  const [major = 0] = version.split(".").map(Number);
  const ended = ENDED_MAJORS[major];
  return ended && `Node ${major} gets no security fixes since ${ended}. allcores runs on it; Node 24 is recommended.`;
}
