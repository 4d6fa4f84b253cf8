// The one table of metrics: every series that allcores itself can show, with its type and its help text.
// A new metric is one row here and one `family()` where its numbers are; the README's table is kept equal by a test.
//
// Labels: `slot` is the number of a socket worker, `role` the kind of a process. Every value that a label can take is
// chosen by allcores: nothing that a client sends ever becomes a label.

export type MetricType = "counter" | "gauge" | "histogram" | "summary";

export interface MetricRow {
  readonly type: MetricType;
  readonly help: string;
  /** For what cannot be added up where two processes share a slot, as during a reload. @default "sum" */
  readonly aggregator?: "max";
}

export const METRIC_TABLE = {
  allcores_build_info: { type: "gauge", help: "Always 1. Labels: version of allcores and of Node." },
  allcores_start_time_seconds: { type: "gauge", help: "When the box started, in seconds since 1970." },
  allcores_box_state: { type: "gauge", help: "1 for the state that the box is in: starting, running or draining." },

  allcores_connections: { type: "gauge", help: "Open Engine.IO sessions by slot and transport." },
  allcores_connects_total: { type: "counter", help: "Engine.IO sessions opened, by slot and first transport." },
  allcores_disconnects_total: {
    type: "counter",
    help: "Engine.IO sessions closed, by slot and reason. worker_gone: their worker died.",
  },
  allcores_messages_received_total: { type: "counter", help: "Socket.IO packets that came from clients." },
  allcores_messages_sent_total: {
    type: "counter",
    help: "Socket.IO packets queued for clients. A broadcast counts once for each of its receivers.",
  },
  allcores_received_bytes_total: {
    type: "counter",
    help: "Payload bytes of the received packets, attachments included, framing and compression not.",
  },
  allcores_sent_bytes_total: {
    type: "counter",
    help: "Payload bytes of the sent packets, attachments included, framing and compression not.",
  },
  allcores_errors_total: { type: "counter", help: "Errors that were caught, by code and by the stage they came from." },
  allcores_hub_ordered_total: {
    type: "counter",
    help: "Messages and operations that got a place in the box's order.",
  },
  allcores_hub_log_bytes: { type: "gauge", help: "Memory of the messages kept for clients that come back." },
  allcores_hub_log_messages: { type: "gauge", help: "Messages kept for clients that come back." },
  allcores_hub_waiting_sessions: {
    type: "gauge",
    help: "Sessions that lost their connection and wait for their client.",
  },
  allcores_hub_rooms: { type: "gauge", help: "Rooms that somebody is in or may come back to." },
  allcores_hub_open_questions: { type: "gauge", help: "Questions between workers that are not all answered yet." },
  allcores_recoveries_total: {
    type: "counter",
    help: "Clients that came back for their session: recovered, or why not.",
  },
  allcores_refusals_total: { type: "counter", help: "Handshakes, packets and events that were refused, by reason." },

  allcores_event_loop_lag_p50_seconds: {
    type: "gauge",
    aggregator: "max",
    help: "How late timers fire: median of the last 10 seconds.",
  },
  allcores_event_loop_lag_p99_seconds: {
    type: "gauge",
    aggregator: "max",
    help: "How late timers fire: 99th percentile of the last 10 seconds.",
  },
  allcores_event_loop_lag_max_seconds: {
    type: "gauge",
    aggregator: "max",
    help: "How late timers fire: worst of the last 10 seconds.",
  },
  allcores_event_loop_worst_lag_seconds: {
    type: "histogram",
    help: "The worst lag of each second: a stall is seen here however seldom the metrics are scraped.",
  },
  allcores_event_loop_utilization_ratio: {
    type: "gauge",
    aggregator: "max",
    help: "Share of the last second or so in which the event loop was busy. The primary's counts its sleep between rounds (hub.flushIntervalMs): look at its CPU time.",
  },
  allcores_process_resident_memory_bytes: { type: "gauge", help: "Resident memory of each process." },
  allcores_process_heap_used_bytes: { type: "gauge", help: "Used JavaScript heap of each process." },
  allcores_process_cpu_seconds_total: { type: "counter", help: "CPU time, user and system, of each process." },
  allcores_process_open_fds: { type: "gauge", help: "Open file descriptors of each process." },
  allcores_process_max_fds: {
    type: "gauge",
    aggregator: "max",
    help: "Most file descriptors that each process may open.",
  },

  allcores_router_accepted_total: { type: "counter", help: "TCP connections that the router accepted." },
  allcores_router_assigned_total: { type: "counter", help: "Connections that the router handed to each slot." },
  allcores_router_refused_total: { type: "counter", help: "Connections that the router answered itself, by status." },
  allcores_router_waiting: {
    type: "gauge",
    help: "Connections whose request head is being read or that wait for a worker.",
  },
  allcores_admission_refused_total: {
    type: "counter",
    help: "Connections that were one too many, by reason: box_full, no_descriptors, address_full, address_rate; and proxy_header, closed for a bad PROXY protocol header.",
  },
  allcores_admission_connections: {
    type: "gauge",
    help: "Connections that count against the limits. 0 while no limit is set.",
  },
  allcores_admission_addresses: {
    type: "gauge",
    help: "Client addresses that the limits know. 0 while no limit is set.",
  },
  allcores_worker_state: {
    type: "gauge",
    aggregator: "max",
    help: "1 for the state that the worker of a slot is in: starting, ready, draining or gone.",
  },
  allcores_worker_stalled_seconds: {
    type: "gauge",
    aggregator: "max",
    help: "How long the worker of a slot has not read what is sent to it; 0 while it reads.",
  },
  allcores_worker_restarts_total: { type: "counter", help: "How often a slot was filled again, by reason." },
  allcores_metrics_age_seconds: {
    type: "gauge",
    aggregator: "max",
    help: "Age of the numbers of each process. Above a few seconds the process hangs and its numbers are old.",
  },
  allcores_app_metrics_failures_total: {
    type: "counter",
    help: "Reports that went out without the app's own metrics, because those failed, were late or too large.",
  },
  allcores_bus_queued_bytes: {
    type: "gauge",
    help: "Bytes that wait on the bus between the primary and each process, by direction.",
  },

  allcores_pool_queued: { type: "gauge", help: "CPU tasks that wait for a thread." },
  allcores_pool_running: { type: "gauge", help: "CPU tasks on a thread." },
  allcores_pool_threads: { type: "gauge", help: "Threads of the CPU pool." },
  allcores_pool_tasks_total: { type: "counter", help: "CPU tasks that ended, by outcome." },
  allcores_pool_wait_seconds: { type: "histogram", help: "How long CPU tasks waited for a thread." },
  allcores_pool_run_seconds: { type: "histogram", help: "How long CPU tasks were on a thread." },
  allcores_pool_restarts_total: { type: "counter", help: "How often the cpu process was forked again." },

  allcores_presence_members: { type: "gauge", help: "Presence entries of the box." },
  allcores_presence_rooms: { type: "gauge", help: "Rooms that have at least one presence entry." },

  allcores_redis_state: { type: "gauge", help: "1 for the state of the link to Redis: connected, connecting or down." },
  allcores_redis_published_total: { type: "counter", help: "Messages for other boxes that Redis confirmed." },
  allcores_redis_received_total: { type: "counter", help: "Messages received from other boxes through Redis." },
  allcores_redis_dropped_total: {
    type: "counter",
    help: "Messages between this box and others that were lost: Redis away, or a queue full.",
  },
  allcores_redis_queued_bytes: { type: "gauge", help: "Bytes that Redis has not confirmed yet." },
  allcores_redis_reconnects_total: { type: "counter", help: "How often the link to Redis came back." },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRIC_TABLE;

/** What begins like this belongs to allcores: an app cannot add to it. */
export const OWN_PREFIX = "allcores_";
