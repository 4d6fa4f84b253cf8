// What socket workers, the primary and the cpu process say to each other about CPU tasks.
//
//   socket worker  --cpuWanted-->  primary            socket worker  --taskFolder, task, taskAbort-->      cpu process
//                 <--cpuReady---            (once ready)             <--taskStarted, taskDone, taskFailed--
//   cpu process    --cpuReport, cpuError-->  primary

/** Socket worker to primary: tell me where the cpu process is, now if it is ready, otherwise once it is. */
export interface CpuWantedMessage {
  readonly type: "cpuWanted";
}

/** Primary to socket worker: the cpu process takes tasks at this unix socket. */
export interface CpuReadyMessage {
  readonly type: "cpuReady";
  readonly path: string;
  readonly secret: string;
}

/** Cpu process to primary, every second: its numbers, and the sign that it does not hang. */
export interface CpuReportMessage {
  readonly type: "cpuReport";
  readonly queued: number;
  readonly running: number;
  readonly memoryBytes: number;
  readonly totals: TaskTotals;
}

/** Cpu process to primary: a pool thread broke while it ran no task, for instance in a timer that a task left behind. */
export interface CpuErrorMessage {
  readonly type: "cpuError";
  readonly error: ThrownByTask;
}

/** Socket worker to cpu process, first after the welcome: the URL of its app's task folder. */
export interface TaskFolderMessage {
  readonly type: "taskFolder";
  readonly url: string;
}

/** Socket worker to cpu process: run this. The body is the payload; `id` is the caller's own. */
export interface TaskMessage {
  readonly type: "task";
  readonly id: number;
  readonly task: string;
  /** Time left for waiting and running, in milliseconds. */
  readonly deadlineMs: number;
}

/** Socket worker to cpu process: nobody waits for this task any more. */
export interface TaskAbortMessage {
  readonly type: "taskAbort";
  readonly id: number;
}

/** Cpu process to socket worker: a thread runs it from now on. If the cpu process dies, it must not run a second time. */
export interface TaskStartedMessage {
  readonly type: "taskStarted";
  readonly id: number;
}

/** Cpu process to socket worker. The body is the result. */
export interface TaskDoneMessage {
  readonly type: "taskDone";
  readonly id: number;
}

export interface TaskFailedMessage {
  readonly type: "taskFailed";
  readonly id: number;
  readonly error: TaskError;
}

/** Why a task has no result, as it travels. */
export interface TaskError {
  readonly code: string;
  readonly message: string;
  /** What the task itself threw. */
  readonly cause?: ThrownByTask;
  /** Of a full queue: how many tasks are waiting. */
  readonly queued?: number;
}

export interface ThrownByTask {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  /** Where in the task. */
  readonly stack?: string;
}

/** How tasks ended. `refused` counts those that the full queue did not take. */
export type TaskOutcome = "done" | "failed" | "deadline" | "aborted" | "refused";

/** Counts since the start of the process. */
export interface TaskTotals {
  readonly outcomes: Readonly<Record<TaskOutcome, number>>;
  /** How long tasks waited for a thread. */
  readonly waitMs: HistogramCounts;
  /** How long tasks were on a thread. */
  readonly runMs: HistogramCounts;
}

export interface HistogramCounts {
  /** How many values fell in each bucket of `TASK_BUCKETS_MS`, and at the end those above the last. Not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Upper bounds of the buckets, inclusive, in milliseconds. */
export const TASK_BUCKETS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000] as const;

export type CpuMessage =
  | CpuWantedMessage
  | CpuReadyMessage
  | CpuReportMessage
  | CpuErrorMessage
  | TaskFolderMessage
  | TaskMessage
  | TaskAbortMessage
  | TaskStartedMessage
  | TaskDoneMessage
  | TaskFailedMessage;

export const CPU_MESSAGE_TYPES: Record<CpuMessage["type"], true> = {
  cpuWanted: true,
  cpuReady: true,
  cpuReport: true,
  cpuError: true,
  taskFolder: true,
  task: true,
  taskAbort: true,
  taskStarted: true,
  taskDone: true,
  taskFailed: true,
};
