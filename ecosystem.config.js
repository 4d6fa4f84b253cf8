// A box under PM2: `pm2 start ecosystem.config.js`. Copied beside an app of yours, it needs
// `script: "node_modules/allcores/dist/src/cli/main.js"` and `args: "start app.js"`.
//
// PM2 sees one process, whose numbers are in `pm2 show allcores`; allcores starts the workers, one per core.
// `pm2 trigger allcores status` prints the whole status. `pm2 reload` stops the box and then starts it.

const { env } = process;

// PM2 writes the environment it starts a process with into its dump file. So secrets come from files alone.
const SECRETS = ["ALLCORES_AUTH_JWT_SECRET", "ALLCORES_ADMIN_TOKEN", "REDIS_URL"];
const isSecret = (name) => env[name] !== undefined && (name !== "REDIS_URL" || env[name].includes("@"));
const exposed = SECRETS.find(isSecret);
if (exposed !== undefined) {
  throw new Error(`PM2 would write ${exposed} into its dump file. Put it into a file and set ${exposed}_FILE instead.`);
}

export const apps = [
  {
    name: "allcores",
    script: "dist/src/cli/main.js",
    args: "start",
    cwd: import.meta.dirname,

    // The box forks its own workers: in PM2's cluster mode it would be a worker itself, and refuses.
    exec_mode: "fork",
    instances: 1,

    // Online means that the box serves, and is waited for as long as its workers may take.
    wait_ready: true,
    listen_timeout: 60_000,

    // PM2 signals the primary alone, which drains for up to 15 s (supervisor.drainTimeoutMs) and ends its workers.
    treekill: false,
    kill_timeout: 20_000,

    // Usage and configuration: starting again would end the same way. Whatever else: five times in a row, not for ever.
    stop_exit_codes: [64, 78],
    min_uptime: 30_000,
    max_restarts: 5,

    // PM2's own probes would keep an app that fails at boot "online".
    pmx: false,
  },
];
