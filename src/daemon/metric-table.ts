/** Every metric, once: what Prometheus is told of it, and what docs/metrics.md says. */
export interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram. */
  readonly buckets?: readonly number[];
}

/** From a real-time system's downtime of a millisecond to one that every client notices. */
const DOWNTIME_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9, 1, 2, 5, 10,
] as const;
const TOTAL_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000] as const;
const WAIT_SECONDS = [0.01, 0.1, 1, 5, 10, 30, 60, 300, 1800] as const;
const ROUNDS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 100] as const;
const RATIOS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1, 1.5, 2, 5] as const;

/** How a migration was carried out. Each is one of a few words of the scenario's own language. */
const HOW = ['world', 'order', 'stop', 'scheduler'] as const;

const counter = <L extends string>(name: string, help: string, labels: readonly L[] = []) =>
  ({ kind: 'counter', name, help, labels }) as const;
const gauge = <L extends string>(name: string, help: string, labels: readonly L[] = []) =>
  ({ kind: 'gauge', name, help, labels }) as const;
const histogram = <L extends string>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly L[] = [],
) => ({ kind: 'histogram', name, help, labels, buckets }) as const;

export const metricTable = {
  migrations: counter('switchover_migrations_total', 'Migrations that have ended, by how.', [
    ...HOW,
    'outcome',
  ]),
  downtime: histogram(
    'switchover_migration_downtime_seconds',
    'From the last step of the guest here to its running at the destination.',
    DOWNTIME_SECONDS,
    [...HOW, 'outcome'],
  ),
  predictedDowntime: histogram(
    'switchover_migration_predicted_downtime_seconds',
    'What the model had said of the memory part of the downtime of completed migrations.',
    DOWNTIME_SECONDS,
    HOW,
  ),
  clientGap: histogram(
    'switchover_migration_client_gap_seconds',
    'The longest silence that a client of the guest saw.',
    DOWNTIME_SECONDS,
    HOW,
  ),
  duration: histogram(
    'switchover_migration_duration_seconds',
    'From the start of tracking to the guest running at the destination, or given back.',
    TOTAL_SECONDS,
    [...HOW, 'outcome'],
  ),
  downtimePart: histogram(
    'switchover_migration_downtime_part_seconds',
    'What the downtime of completed migrations consists of: dirty-scan, memory, state, verify, commit, resume.',
    DOWNTIME_SECONDS,
    ['world', 'part'],
  ),
  guarantees: histogram(
    'switchover_guarantee_downtime_seconds',
    'Downtime of completed migrations by what was reserved: for whom, the share of the sender Q/P and its period P, each rounded up to a step, and b_d.',
    DOWNTIME_SECONDS,
    ['world', 'guarantee', 'antagonists', 'sender_share', 'sender_period', 'stop_rate'],
  ),
  rounds: histogram(
    'switchover_migration_rounds',
    'Live rounds before the guest was stopped or the migration given up.',
    ROUNDS,
    ['world', 'stop'],
  ),
  pages: counter(
    'switchover_migration_pages_total',
    'Pages by what became of them: sent live, of these zero, deferred to the stop, skipped, sent while the guest stood.',
    ['world', 'kind'],
  ),
  bytes: counter(
    'switchover_migration_bytes_total',
    'Bytes sent, in live rounds and while the guest stood.',
    ['world', 'phase'],
  ),
  convergence: histogram(
    'switchover_migration_convergence_ratio',
    'Dirty rate over transfer rate of the last live round; from 1 on, further rounds do not help.',
    RATIOS,
    ['world', 'stop'],
  ),
  heartbeats: counter(
    'switchover_guest_heartbeats_total',
    'Heartbeats as a client of the guest saw them: sent, late, lost, repeated.',
    ['world', 'kind'],
  ),
  running: gauge('switchover_migrations_running', 'Migrations under way.', []),
  lastEnded: gauge(
    'switchover_last_migration_end_timestamp_seconds',
    'When the last migration of this world ended (Unix time).',
    ['world'],
  ),
  lastDowntime: gauge('switchover_last_migration_downtime_seconds', 'Downtime of the last migration.', [
    'world',
  ]),
  lastPredictedDowntime: gauge(
    'switchover_last_migration_predicted_downtime_seconds',
    'What the model had said of it; absent where it had no figure.',
    ['world'],
  ),
  lastDuration: gauge('switchover_last_migration_duration_seconds', 'Total time of the last migration.', [
    'world',
  ]),
  lastRounds: gauge('switchover_last_migration_rounds', 'Live rounds of the last migration.', ['world']),
  lastCompleted: gauge(
    'switchover_last_migration_completed',
    '1 if the last migration was completed, otherwise 0.',
    ['world'],
  ),
  lastDirtyRate: gauge(
    'switchover_last_migration_dirty_bytes_per_second',
    'Dirtied in the last live round of the last migration, by time.',
    ['world'],
  ),
  lastTransferRate: gauge(
    'switchover_last_migration_transfer_bytes_per_second',
    'Sent in the last live round of the last migration, by time.',
    ['world'],
  ),
  lastConvergence: gauge(
    'switchover_last_migration_convergence_ratio',
    'Dirty rate over transfer rate of the last migration.',
    ['world'],
  ),
  downtimeTarget: gauge(
    'switchover_downtime_target_seconds',
    'What downtimes are meant to stay below (configuration: target.downtime).',
  ),
  budget: gauge('switchover_reservation_budget_seconds', 'Q of the latest reservation.', ['world', 'server']),
  period: gauge('switchover_reservation_period_seconds', 'P of the latest reservation.', ['world', 'server']),
  delivered: counter(
    'switchover_reservation_delivered_cpu_seconds_total',
    'CPU time that servers received.',
    ['world', 'server', 'scheduler'],
  ),
  promised: counter(
    'switchover_reservation_promised_cpu_seconds_total',
    'Q for every period at whose deadline the server had work: the least it was to receive.',
    ['world', 'server', 'scheduler'],
  ),
  periods: counter(
    'switchover_reservation_periods_total',
    'Deadlines that passed while the server had work.',
    ['world', 'server', 'scheduler'],
  ),
  missedPeriods: counter(
    'switchover_reservation_missed_periods_total',
    'Of these, those that left budget unserved, by what was to blame: the scheduler, or the machine, which stood still (noise).',
    ['world', 'server', 'scheduler', 'cause'],
  ),
  blackout: gauge(
    'switchover_reservation_blackout_seconds',
    'The longest time without service while there was work, in the latest run.',
    ['world', 'server'],
  ),
  blackoutBound: gauge(
    'switchover_reservation_blackout_bound_seconds',
    '2(P − Q), which no blackout of a kept reservation exceeds.',
    ['world', 'server'],
  ),
  shareError: gauge(
    'switchover_reservation_share_error_ratio',
    'Share error over windows of ten periods in the latest run: its median and its 99 % quantile.',
    ['world', 'server', 'statistic'],
  ),
  refusals: counter(
    'switchover_admission_refusals_total',
    'Requests that were not admitted, by what was short.',
    ['reason'],
  ),
  linkCapacity: gauge('switchover_link_capacity_bytes_per_second', 'Capacity of a configured link.', [
    'link',
  ]),
  linkReserved: gauge(
    'switchover_link_reserved_bytes_per_second',
    'Reserved by the migrations that are under way: of each, the larger of b and b_d.',
    ['link'],
  ),
  linkSent: counter('switchover_link_sent_bytes_total', 'Bytes sent over a configured link.', ['link']),
  linkWaiting: gauge('switchover_link_waiting_migrations', 'Migrations that wait for room on a link.', [
    'link',
  ]),
  linkExcess: gauge(
    'switchover_link_worst_excess_bytes',
    'Of the last migration, over all intervals: bytes sent − (depth + rate × interval), at its largest; at most 0 when the reservation held.',
    ['world'],
  ),
  linkViolations: counter(
    'switchover_link_reservation_violations_total',
    'Migrations that sent more in some interval than their reservation allows.',
    ['world'],
  ),
  linkUtilisation: gauge(
    'switchover_link_utilisation_ratio',
    'Of what the reservation granted while there was something to send, the part used by the last migration.',
    ['world'],
  ),
  queue: gauge('switchover_queue_jobs', 'Migrations and experiments, waiting and running.', [
    'kind',
    'state',
  ]),
  queueOldest: gauge(
    'switchover_queue_oldest_wait_seconds',
    'How long the one that has waited longest has been waiting; 0 if none waits.',
    ['kind'],
  ),
  queueWait: histogram(
    'switchover_queue_wait_seconds',
    'How long jobs waited before they ran.',
    WAIT_SECONDS,
    ['kind'],
  ),
  guests: gauge('switchover_guests', 'Guests that are known here, by state.', ['state']),
  watchers: gauge('switchover_event_watchers', 'Clients that watch events.'),
  reloads: counter('switchover_configuration_reloads_total', 'Attempts to reload the configuration.', [
    'result',
  ]),
  reloaded: gauge(
    'switchover_configuration_last_reload_successful',
    '1 unless the last reload was refused and the old configuration kept.',
  ),
  startTime: gauge('switchover_start_timestamp_seconds', 'When this daemon started (Unix time).'),
  build: gauge('switchover_build_info', 'Always 1; what is running.', ['version', 'node']),
} satisfies Record<string, Metric>;

export type MetricKey = keyof typeof metricTable;
