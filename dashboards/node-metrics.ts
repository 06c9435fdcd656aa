/** Metrics of the Node.js process that panels ask for, from `/metrics/node`; their names are Node's convention. */
export const node = {
  eventLoop: 'nodejs_eventloop_lag_p99_seconds',
  memory: 'process_resident_memory_bytes',
  heap: 'nodejs_heap_size_used_bytes',
  cpu: 'process_cpu_seconds_total',
} as const;
