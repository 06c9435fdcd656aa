/** Every metric, once: what Prometheus is told of it, and what docs/metrics.md says. */
export interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** None but of a histogram. */
  readonly buckets: readonly number[];
}

/** From a real-time system's downtime of a millisecond to one that every client notices. */
export const DOWNTIME_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9, 1, 2, 5, 10,
] as const;
export const TOTAL_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000] as const;
const WAIT_SECONDS = [0.01, 0.1, 1, 5, 10, 30, 60, 300, 1800] as const;
const ROUNDS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 100] as const;
/** From half of the limit beyond it, over the limit at 0, to no time at all. */
const MARGINS = [-0.5, -0.2, -0.1, -0.05, 0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9, 1] as const;
const RATIOS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1, 1.5, 2, 5] as const;

/** How a migration was carried out. Each is one of a few words of the scenario's own language. */
const HOW = ['world', 'order', 'stop', 'scheduler'] as const;

type Helps<Name extends string> = Readonly<Record<Name, string>>;
type Labels = readonly string[];

function alike<Kind extends Metric['kind'], Name extends string>(
  kind: Kind,
  helps: Helps<Name>,
  labels: Labels,
  buckets: readonly number[] = [],
) {
  const metrics = Object.entries<string>(helps).map(([name, help]) => {
    return [name, { kind, name: `switchover_${name}`, help, labels, buckets }];
  });
  return Object.fromEntries(metrics) as Readonly<Record<Name, Metric & { readonly kind: Kind }>>;
}

export const counters = <N extends string>(labels: Labels, helps: Helps<N>) =>
  alike('counter', helps, labels);
export const gauges = <N extends string>(labels: Labels, helps: Helps<N>) => alike('gauge', helps, labels);
export const histograms = <N extends string>(buckets: readonly number[], labels: Labels, helps: Helps<N>) =>
  alike('histogram', helps, labels, buckets);

/** By their names without `switchover_`, those of the same labels together. */
export const metricTable = {
  ...counters([...HOW, 'outcome'], { migrations_total: 'Migrations that have ended, by outcome.' }),
  ...histograms(DOWNTIME_SECONDS, [...HOW, 'outcome'], {
    migration_downtime_seconds:
      'From the last step of the guest at the source to its first at the destination, or again at the source, of migrations that paused it.',
  }),
  ...histograms(DOWNTIME_SECONDS, HOW, {
    migration_predicted_downtime_seconds: 'The downtime as the model predicted it, of completed migrations.',
    migration_client_gap_seconds: 'The longest time without a heartbeat that a client of the guest saw.',
  }),
  ...histograms(TOTAL_SECONDS, [...HOW, 'outcome'], {
    migration_duration_seconds:
      'From the start of the first round to the guest running at the destination, or again at the source, of migrations that came to it.',
  }),
  ...histograms(DOWNTIME_SECONDS, ['world', 'part'], {
    migration_downtime_part_seconds:
      'Parts of the downtime of completed migrations: dirty-scan, memory, state, verify, commit, resume.',
  }),
  ...histograms(
    DOWNTIME_SECONDS,
    ['world', 'guarantee', 'antagonists', 'sender_share', 'sender_period', 'stop_rate'],
    {
      guarantee_downtime_seconds:
        'Downtime of completed migrations by what was reserved: CPU time of guest or sender, the share Q/P and period P of the sender, and b_d, each rounded up to a step.',
    },
  ),
  ...histograms(ROUNDS, ['world', 'stop'], {
    migration_rounds: 'Live rounds before the guest was paused or the migration given up.',
  }),
  ...counters(['world', 'kind'], {
    migration_pages_total:
      'Pages: sent live, of these zero, deferred to the pause, skipped, sent during the pause.',
    guest_heartbeats_total: 'Heartbeats as a client of the guest saw them: sent, late, lost, repeated.',
  }),
  ...counters(['world', 'phase'], {
    migration_bytes_total: 'Bytes sent, in live rounds and while the guest was paused.',
  }),
  ...histograms(RATIOS, ['world', 'stop'], {
    migration_convergence_ratio:
      'Dirty rate over transfer rate of the last live round. From 1 on, further rounds do not help.',
  }),
  ...gauges([], {
    migrations_running: 'Migrations that are running.',
    downtime_target_seconds: 'The limit that downtimes should not exceed (configuration: target.downtime).',
    cpu_reservable_processors: 'How many processors of this host may be reserved in all.',
    event_watchers: 'Clients that watch events.',
    event_log_writable:
      '1 unless the daemon cannot write down what happens, as when the disk is full; it takes nothing new then.',
    configuration_last_reload_successful:
      '1 unless the last reload was refused and the old configuration kept.',
    start_timestamp_seconds: 'When this daemon started (Unix time).',
  }),
  ...gauges(['world'], {
    last_migration_end_timestamp_seconds: 'When the last migration of this world ended (Unix time).',
    last_migration_downtime_seconds:
      'Downtime of the last migration; absent if it did not pause its guest, or for how long is not known.',
    last_migration_predicted_downtime_seconds:
      'Its downtime as the model predicted it; absent if the model had no figure.',
    last_migration_duration_seconds:
      'Total time of the last migration; absent if it did not come to a first round.',
    last_migration_rounds: 'Live rounds of the last migration.',
    last_migration_completed: '1 if the last migration was completed, otherwise 0.',
    last_migration_dirty_bytes_per_second: 'Dirty rate in the last live round of the last migration.',
    last_migration_transfer_bytes_per_second: 'Transfer rate in the last live round of the last migration.',
    last_migration_convergence_ratio: 'Dirty rate over transfer rate of the last migration.',
    link_worst_excess_bytes:
      'Maximum over all intervals of the last migration of: bytes sent − (depth + rate × interval). At most 0 if the reservation held.',
    link_utilisation_ratio:
      'The part that the last migration used of what its reservation granted while there was something to send.',
  }),
  ...gauges(['world', 'phase'], {
    link_achieved_ratio:
      'The rate at which bytes of the last migration arrived, over the one that was reserved: in its live rounds, and while its guest was paused. Absent if it sent too little to tell, or nothing was reserved.',
  }),
  ...gauges(['world', 'server'], {
    reservation_budget_seconds: 'Budget Q of the latest reservation.',
    reservation_period_seconds: 'Period P of the latest reservation.',
    reservation_blackout_seconds: 'The longest time without service while there was work, in the latest run.',
    reservation_blackout_bound_seconds: '2(P − Q), the longest blackout of a reservation that is kept.',
  }),
  ...counters(['world', 'server', 'scheduler'], {
    reservation_delivered_cpu_seconds_total: 'CPU time that reservations received.',
    reservation_promised_cpu_seconds_total:
      'The least CPU time that reservations had to receive: Q for every period at whose deadline there was work.',
    reservation_periods_total: 'Periods of reservations that ended with work to do.',
  }),
  ...counters(['world', 'server', 'scheduler', 'cause'], {
    reservation_missed_periods_total:
      'Of these, the periods in which budget was not served, by cause: the scheduler, or the machine, which did not run (noise).',
  }),
  ...gauges(['world', 'server', 'statistic'], {
    reservation_share_error_ratio:
      'Deviation from the share Q/P over windows of ten periods in the latest run: median and 99 % quantile.',
  }),
  ...counters([], {
    authentication_failures_total: 'Changing calls without the key, or with a wrong one.',
  }),
  ...counters(['reason'], {
    admission_refusals_total: 'Requests that were not admitted, by the resource that was short.',
  }),
  ...gauges(['holder'], {
    cpu_reserved_processors:
      'Processors that are reserved, as the sum of Q/P, by holder: guests, senders of migrations, experiments.',
  }),
  ...gauges(['link'], {
    link_capacity_bytes_per_second: 'Capacity of a configured link.',
    link_reserved_bytes_per_second:
      'Reserved by running migrations: for each the larger of b and b_d, or what has not been revoked.',
    link_waiting_migrations: 'Migrations over a link that have not begun.',
  }),
  ...counters(['link'], { link_sent_bytes_total: 'Bytes sent over a configured link.' }),
  ...counters(['kind', 'world'], {
    downtime_target_misses_total: 'Migrations whose downtime was longer than the target.',
    link_reservation_violations_total:
      'Migrations that sent more in some interval than their reservation allows.',
    link_shortfalls_total:
      'Migrations for which the link did not carry what was reserved: in the live rounds or the stop less than nine tenths of it arrived, and not because the sender came too late.',
  }),
  ...counters(['verdict'], {
    promises_total:
      'Migrations of guests that live here, by whether all that was reserved for them was kept: kept, broken, or none, where nothing was.',
  }),
  ...counters(['metric'], {
    target_kept_total:
      'Migrations asked for with a target that kept its limit of this time: downtime, or total.',
    target_missed_total:
      'The same that missed it, or were not completed; those that were cancelled count as neither.',
    target_expected_misses_total:
      'How many of them may miss it by chance: the sum of 1 − q, with q the probability with which each was to be kept.',
  }),
  ...histograms(MARGINS, ['metric'], {
    target_margin_ratio:
      'How far below its target’s limit a completed migration stayed, as a part of the limit: (limit − measured) / limit. Below 0 it missed.',
  }),
  ...counters(['kind', 'world', 'outcome'], {
    migration_outcomes_total:
      'Migrations that have ended: of guests that live here (kind migration) or of experiments. Every outcome is there from the start, at 0.',
  }),
  ...counters(['kind', 'world', 'server'], {
    reservation_misses_total:
      'Migrations in which a reservation missed more than 5 % of its periods through the scheduler.',
  }),
  ...gauges(['kind', 'state'], { queue_jobs: 'Migrations and experiments, waiting and running.' }),
  ...gauges(['kind'], {
    queue_oldest_wait_seconds: 'How long the longest-waiting job has been waiting; 0 if none waits.',
  }),
  ...histograms(WAIT_SECONDS, ['kind'], { queue_wait_seconds: 'How long jobs waited before they ran.' }),
  ...gauges(['state'], { guests: 'Guests that this daemon knows, by state.' }),
  ...counters(['result'], { configuration_reloads_total: 'Attempts to reload the configuration.' }),
  ...gauges(['version', 'node'], { build_info: 'Always 1; the labels give the versions.' }),
};
