import {
  counters,
  DOWNTIME_SECONDS,
  gauges,
  histograms,
  metricTable,
  TOTAL_SECONDS,
} from './metric-table.ts';

const WATCHED = ['world', 'monitor'] as const;

/**
 * What `switchover watch` tells of other people's migrations. What means the same as with the daemon has its name. `world`
 * is always `qemu-native`; `monitor` is a socket of the command line.
 */
export const watchMetricTable = {
  ...counters([...WATCHED, 'outcome'], {
    migrations_total:
      'Migrations that have ended while they were watched, by outcome: completed, failed, cancelled, or unknown where QEMU ended first.',
  }),
  ...histograms(DOWNTIME_SECONDS, ['world', 'outcome'], {
    migration_downtime_seconds: 'Downtime of completed migrations, as QEMU says it.',
  }),
  ...histograms(TOTAL_SECONDS, ['world', 'outcome'], {
    migration_duration_seconds: 'Total time of completed migrations, as QEMU says it.',
  }),
  ...gauges([], {
    migrations_running: metricTable.migrations_running.help,
    start_timestamp_seconds: 'When watching began (Unix time).',
  }),
  ...gauges(['version', 'node'], { build_info: metricTable.build_info.help }),
  ...gauges(WATCHED, {
    last_migration_end_timestamp_seconds: 'When the last migration of this QEMU ended (Unix time).',
    last_migration_downtime_seconds: 'Its downtime; absent unless it was completed.',
    last_migration_duration_seconds: 'Its total time; absent unless it was completed.',
    last_migration_completed: metricTable.last_migration_completed.help,
    watched_up: '1 if this QEMU can be asked, otherwise 0.',
    watched_elapsed_seconds:
      'How long the migration that goes on has taken. Absent, as all below, if none does.',
    watched_left_bytes: 'Memory that is left to be sent.',
    watched_sent_bytes: 'What it has sent so far.',
    watched_transfer_bytes_per_second: 'What it sends, over the last seconds.',
    watched_dirty_bytes_per_second:
      'How fast its guest dirties pages, between the last two syncs, as QEMU says it.',
    watched_dirty_syncs: 'How often dirty pages were looked for (dirty-sync-count).',
    watched_throttle_ratio: 'The part of its CPU time that auto-converge takes away.',
    watched_expected_downtime_seconds: 'QEMU’s own expected-downtime.',
    watched_ends_by_itself_ratio:
      'The probability that it ends without help; absent, as those below, until something is known of what the guest dirties.',
  }),
  ...gauges([...WATCHED, 'status'], {
    watched_status: '1 for the status that QEMU’s query-migrate has now.',
  }),
  ...gauges([...WATCHED, 'statistic'], {
    watched_predicted_left_seconds:
      'In what time it ends, of the courses in which it does: quantiles of 5, 50 and 95 %.',
    watched_predicted_downtime_seconds:
      'The downtime of memory that is predicted: quantiles of 5, 50 and 95 %.',
  }),
};
