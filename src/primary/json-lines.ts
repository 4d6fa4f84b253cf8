// Line-delimited JSON over a socket, bounded: what the two ends of the control socket speak.

import type { Socket } from "node:net";

/** Calls `onValue` for each line. A line that is too long or no JSON destroys the socket with an error. */
export function readJsonLines(socket: Socket, maxLineBytes: number, onValue: (value: unknown) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > maxLineBytes) {
      socket.destroy(new Error(`a line is longer than ${maxLineBytes} bytes`));
      return;
    }
    for (const line of lines) {
      try {
        onValue(JSON.parse(line));
      } catch {
        socket.destroy(new Error("a line is no JSON"));
        return;
      }
    }
  });
}

export function writeJsonLine(socket: Socket, value: unknown): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}
