// Tells whoever keeps the box running, systemd or PM2, when it is ready, how it is, and that it is about to end.

import type { Logger } from "../lib/logger.ts";
import { Pm2Notifier } from "./pm2-notifier.ts";
import type { BoxStatus } from "./status.ts";
import type { SystemdEnv } from "./systemd-env.ts";
import { SystemdNotifier } from "./systemd-notifier.ts";

export interface NotifierOptions {
  readonly systemd: SystemdEnv;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  readonly status: () => BoxStatus;
  /** Whether the router takes connections from the port. */
  readonly isRouterWell: () => Promise<boolean>;
  /** Begins a reload; what comes of it is in the log. */
  readonly reload: () => void;
}

export interface Notifier {
  /** The box serves. From here on numbers and watchdog pings are sent. */
  ready(): void;
  /** The box drains. */
  stopping(): void;
  /** Sends what is due, for a bounded time, and nothing after it. */
  close(): Promise<void>;
}

/** The notifiers that apply to this process, as one. */
export function createNotifier(options: NotifierOptions): Notifier {
  const notifiers: Notifier[] = [];
  if (options.systemd.notifySocket !== undefined) notifiers.push(new SystemdNotifier(options));
  if (process.send !== undefined) notifiers.push(new Pm2Notifier(options));

  return {
    ready: () => {
      for (const notifier of notifiers) notifier.ready();
    },
    stopping: () => {
      for (const notifier of notifiers) notifier.stopping();
    },
    close: async () => {
      await Promise.all(notifiers.map((notifier) => notifier.close()));
    },
  };
}
