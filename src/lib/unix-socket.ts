import { once } from "node:events";
import { createConnection } from "node:net";

/** Connects to the unix socket, and closes. Resolves to `undefined` when somebody listens there, else to why nobody does. */
export async function probeSocket(path: string): Promise<NodeJS.ErrnoException | undefined> {
  const socket = createConnection(path);
  try {
    await once(socket, "connect");
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  } finally {
    socket.destroy();
  }
}
