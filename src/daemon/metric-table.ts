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
  migrations: counter('switchover_migrations_total', 'Migrations that have ended, by outcome.', [
    ...HOW,
    'outcome',
  ]),
  downtime: histogram(
    'switchover_migration_downtime_seconds',
    'From the last step of the guest at the source to its first at the destination.',
    DOWNTIME_SECONDS,
    [...HOW, 'outcome'],
  ),
  predictedDowntime: histogram(
    'switchover_migration_predicted_downtime_seconds',
    'The memory part of the downtime as the model predicted it, of completed migrations.',
    DOWNTIME_SECONDS,
    HOW,
  ),
  clientGap: histogram(
    'switchover_migration_client_gap_seconds',
    'The longest time without a heartbeat that a client of the guest saw.',
    DOWNTIME_SECONDS,
    HOW,
  ),
  duration: histogram(
    'switchover_migration_duration_seconds',
    'From the start of the first round to the guest running at the destination, or again at the source.',
    TOTAL_SECONDS,
    [...HOW, 'outcome'],
  ),
  downtimePart: histogram(
    'switchover_migration_downtime_part_seconds',
    'Parts of the downtime of completed migrations: dirty-scan, memory, state, verify, commit, resume.',
    DOWNTIME_SECONDS,
    ['world', 'part'],
  ),
  guarantees: histogram(
    'switchover_guarantee_downtime_seconds',
    'Downtime of completed migrations by what was reserved: CPU time of guest or sender, the share Q/P and period P of the sender, and b_d, each rounded up to a step.',
    DOWNTIME_SECONDS,
    ['world', 'guarantee', 'antagonists', 'sender_share', 'sender_period', 'stop_rate'],
  ),
  rounds: histogram(
    'switchover_migration_rounds',
    'Live rounds before the guest was paused or the migration given up.',
    ROUNDS,
    ['world', 'stop'],
  ),
  pages: counter(
    'switchover_migration_pages_total',
    'Pages: sent live, of these zero, deferred to the pause, skipped, sent during the pause.',
    ['world', 'kind'],
  ),
  bytes: counter(
    'switchover_migration_bytes_total',
    'Bytes sent, in live rounds and while the guest was paused.',
    ['world', 'phase'],
  ),
  convergence: histogram(
    'switchover_migration_convergence_ratio',
    'Dirty rate over transfer rate of the last live round. From 1 on, further rounds do not help.',
    RATIOS,
    ['world', 'stop'],
  ),
  heartbeats: counter(
    'switchover_guest_heartbeats_total',
    'Heartbeats as a client of the guest saw them: sent, late, lost, repeated.',
    ['world', 'kind'],
  ),
  running: gauge('switchover_migrations_running', 'Migrations that are running.', []),
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
    'Its memory part as the model predicted it; absent if the model had no figure.',
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
    'Dirty rate in the last live round of the last migration.',
    ['world'],
  ),
  lastTransferRate: gauge(
    'switchover_last_migration_transfer_bytes_per_second',
    'Transfer rate in the last live round of the last migration.',
    ['world'],
  ),
  lastConvergence: gauge(
    'switchover_last_migration_convergence_ratio',
    'Dirty rate over transfer rate of the last migration.',
    ['world'],
  ),
  downtimeTarget: gauge(
    'switchover_downtime_target_seconds',
    'The limit that downtimes should not exceed (configuration: target.downtime).',
  ),
  budget: gauge('switchover_reservation_budget_seconds', 'Budget Q of the latest reservation.', [
    'world',
    'server',
  ]),
  period: gauge('switchover_reservation_period_seconds', 'Period P of the latest reservation.', [
    'world',
    'server',
  ]),
  delivered: counter(
    'switchover_reservation_delivered_cpu_seconds_total',
    'CPU time that reservations received.',
    ['world', 'server', 'scheduler'],
  ),
  promised: counter(
    'switchover_reservation_promised_cpu_seconds_total',
    'The least CPU time that reservations had to receive: Q for every period at whose deadline there was work.',
    ['world', 'server', 'scheduler'],
  ),
  periods: counter(
    'switchover_reservation_periods_total',
    'Periods of reservations that ended with work to do.',
    ['world', 'server', 'scheduler'],
  ),
  missedPeriods: counter(
    'switchover_reservation_missed_periods_total',
    'Of these, the periods in which budget was not served, by cause: the scheduler, or the machine, which did not run (noise).',
    ['world', 'server', 'scheduler', 'cause'],
  ),
  blackout: gauge(
    'switchover_reservation_blackout_seconds',
    'The longest time without service while there was work, in the latest run.',
    ['world', 'server'],
  ),
  blackoutBound: gauge(
    'switchover_reservation_blackout_bound_seconds',
    '2(P − Q), the longest blackout of a reservation that is kept.',
    ['world', 'server'],
  ),
  shareError: gauge(
    'switchover_reservation_share_error_ratio',
    'Deviation from the share Q/P over windows of ten periods in the latest run: median and 99 % quantile.',
    ['world', 'server', 'statistic'],
  ),
  refusals: counter(
    'switchover_admission_refusals_total',
    'Requests that were not admitted, by the resource that was short.',
    ['reason'],
  ),
  cpuReservable: gauge(
    'switchover_cpu_reservable_processors',
    'How many processors of this host may be reserved in all.',
  ),
  cpuReserved: gauge(
    'switchover_cpu_reserved_processors',
    'Processors that are reserved, as the sum of Q/P, by holder: guests, senders of migrations, experiments.',
    ['holder'],
  ),
  linkCapacity: gauge('switchover_link_capacity_bytes_per_second', 'Capacity of a configured link.', [
    'link',
  ]),
  linkReserved: gauge(
    'switchover_link_reserved_bytes_per_second',
    'Reserved by running migrations: for each the larger of b and b_d, or what has not been revoked.',
    ['link'],
  ),
  linkSent: counter('switchover_link_sent_bytes_total', 'Bytes sent over a configured link.', ['link']),
  linkWaiting: gauge('switchover_link_waiting_migrations', 'Migrations over a link that have not begun.', [
    'link',
  ]),
  linkExcess: gauge(
    'switchover_link_worst_excess_bytes',
    'Maximum over all intervals of the last migration of: bytes sent − (depth + rate × interval). At most 0 if the reservation held.',
    ['world'],
  ),
  linkViolations: counter(
    'switchover_link_reservation_violations_total',
    'Migrations that sent more in some interval than their reservation allows.',
    ['world'],
  ),
  linkUtilisation: gauge(
    'switchover_link_utilisation_ratio',
    'The part that the last migration used of what its reservation granted while there was something to send.',
    ['world'],
  ),
  queue: gauge('switchover_queue_jobs', 'Migrations and experiments, waiting and running.', [
    'kind',
    'state',
  ]),
  queueOldest: gauge(
    'switchover_queue_oldest_wait_seconds',
    'How long the longest-waiting job has been waiting; 0 if none waits.',
    ['kind'],
  ),
  queueWait: histogram(
    'switchover_queue_wait_seconds',
    'How long jobs waited before they ran.',
    WAIT_SECONDS,
    ['kind'],
  ),
  guests: gauge('switchover_guests', 'Guests that this daemon knows, by state.', ['state']),
  watchers: gauge('switchover_event_watchers', 'Clients that watch events.'),
  reloads: counter('switchover_configuration_reloads_total', 'Attempts to reload the configuration.', [
    'result',
  ]),
  reloaded: gauge(
    'switchover_configuration_last_reload_successful',
    '1 unless the last reload was refused and the old configuration kept.',
  ),
  startTime: gauge('switchover_start_timestamp_seconds', 'When this daemon started (Unix time).'),
  build: gauge('switchover_build_info', 'Always 1; the labels give the versions.', ['version', 'node']),
} satisfies Record<string, Metric>;

export type MetricKey = keyof typeof metricTable;
