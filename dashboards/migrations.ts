import { metricTable as m } from '../src/daemon/metric-table.ts';
import { node } from './node-metrics.ts';
import { counts, dashboard, figure, heat, ours, own, points, quantile, rate, series } from './panels.ts';

/** How migrations go: how long the guest is paused, whether that was predicted, whether they converge. */
export const migrations = dashboard(
  'switchover-migrations',
  'Switchover / Migrations',
  'How long guests are paused, whether that was predicted, and whether migrations converge.',
  [
    {
      title: 'The last migration',
      panels: [
        figure(
          'Downtime',
          {
            unit: 's',
            says: 'Kept after the migration, which may be shorter than the scrape interval.',
          },
          { expr: `${m.last_migration_downtime_seconds.name}{${own}}`, legend: '{{instance}} {{world}}' },
        ),
        figure(
          'Predicted',
          { unit: 's', says: 'The downtime as the model predicted it.' },
          {
            expr: `${m.last_migration_predicted_downtime_seconds.name}{${own}}`,
            legend: '{{instance}} {{world}}',
          },
        ),
        figure(
          'Total time',
          { unit: 's', says: 'From the start of the first round to the guest running at the destination.' },
          { expr: `${m.last_migration_duration_seconds.name}{${own}}`, legend: '{{instance}} {{world}}' },
        ),
        figure(
          'Rounds',
          { unit: 'none', says: 'Live rounds before the pause.' },
          { expr: `${m.last_migration_rounds.name}{${own}}`, legend: '{{instance}} {{world}}' },
        ),
        figure(
          'Convergence ratio',
          {
            unit: 'percentunit',
            says: 'Dirty rate over transfer rate; from 100 % on it never converges.',
            bad: { above: 1 },
          },
          { expr: `${m.last_migration_convergence_ratio.name}{${own}}`, legend: '{{instance}} {{world}}' },
        ),
        figure(
          'Since then',
          { unit: 's', says: 'How long ago it ended.' },
          {
            expr: `time() - ${m.last_migration_end_timestamp_seconds.name}{${own}}`,
            legend: '{{instance}} {{world}}',
          },
        ),
      ],
    },
    {
      title: 'Downtime',
      panels: [
        points(
          'Downtime, one by one',
          { unit: 's', says: 'Of the latest migration at each scrape; the line is the target.' },
          { expr: `${m.last_migration_downtime_seconds.name}{${own}}`, legend: '{{instance}} {{world}}' },
          { expr: `max(${m.downtime_target_seconds.name}{${ours}})`, legend: 'target' },
        ),
        series(
          'Downtime, quantiles',
          {
            unit: 's',
            says: 'Of all migrations in the time shown, precise to the width of a bucket: the median of six or more, the 95 % quantile of twenty or more.',
          },
          { expr: quantile(0.5, m.migration_downtime_seconds.name, 'world'), legend: '{{world}} p50' },
          { expr: quantile(0.95, m.migration_downtime_seconds.name, 'world'), legend: '{{world}} p95' },
          { expr: `max(${m.downtime_target_seconds.name}{${ours}})`, legend: 'target' },
        ),
        counts(
          'Longer than the target',
          {
            unit: 'short',
            says: 'Migrations in the time shown whose downtime was longer than the configured target.',
            bad: { above: 1 },
            width: 6,
          },
          {
            expr: `sum by (kind, world) (increase(${m.downtime_target_misses_total.name}{${ours}}[$__range]))`,
            legend: '{{kind}}s, {{world}}',
          },
        ),
        counts(
          'Migrations behind the quantiles',
          { unit: 'short', says: 'How many ended in the time shown, by world and outcome.', width: 6 },
          {
            expr: `sum by (world, outcome) (increase(${m.migrations_total.name}{${own}}[$__range]))`,
            legend: '{{world}}, {{outcome}}',
          },
        ),
        heat(
          'Downtime, how often',
          { unit: 's', says: 'Every row is a bucket. Brighter means more migrations.' },
          {
            expr: `sum by (le) (increase(${m.migration_downtime_seconds.name}_bucket{${ours}}[$__rate_interval]))`,
            legend: '{{le}}',
          },
        ),
        series(
          'Predicted against measured (median)',
          {
            unit: 's',
            says: 'The model does not know hashing and the commit: that is a constant gap. A growing gap is a guest that the model misjudges.',
          },
          {
            expr: quantile(0.5, m.migration_predicted_downtime_seconds.name, 'world'),
            legend: '{{world}} predicted',
          },
          {
            expr: quantile(0.5, m.migration_downtime_seconds.name, 'world', 'outcome="completed"'),
            legend: '{{world}} measured',
          },
          {
            expr: quantile(0.5, m.migration_client_gap_seconds.name, 'world'),
            legend: '{{world}} seen by the client',
          },
        ),
        series(
          'What the downtime consists of (mean)',
          { unit: 's', says: 'Memory, state, verification, commit, resume.' },
          {
            expr: `${rate(`${m.migration_downtime_part_seconds.name}_sum`, 'world, part')} / ${rate(`${m.migration_downtime_part_seconds.name}_count`, 'world, part')}`,
            legend: '{{world}} {{part}}',
          },
        ),
        series(
          'Downtime by page order (median)',
          { unit: 's', says: 'Which order is best for these guests; of six migrations or more each.' },
          {
            expr: quantile(0.5, m.migration_downtime_seconds.name, 'world, order', 'order!=""'),
            legend: '{{world}}, {{order}}',
          },
        ),
        series(
          'Downtime by stop rule (median)',
          { unit: 's', says: 'Which rule is best for these guests; of six migrations or more each.' },
          {
            expr: quantile(0.5, m.migration_downtime_seconds.name, 'world, stop', 'stop!=""'),
            legend: '{{world}}, {{stop}}',
          },
        ),
      ],
    },
    {
      title: 'Convergence and effort',
      panels: [
        series(
          'Convergence ratio',
          {
            unit: 'percentunit',
            says: 'Dirty rate over transfer rate of the last live round: median of six or more, 95 % quantile of twenty or more. From 100 % on further rounds do not help.',
            bad: { above: 1 },
          },
          { expr: quantile(0.5, m.migration_convergence_ratio.name, 'world'), legend: '{{world}} p50' },
          { expr: quantile(0.95, m.migration_convergence_ratio.name, 'world'), legend: '{{world}} p95' },
        ),
        series(
          'Dirty and transfer rate of the last migration',
          { unit: 'Bps', says: 'Where the two lines meet, migrations no longer converge.' },
          {
            expr: `${m.last_migration_dirty_bytes_per_second.name}{${own}}`,
            legend: '{{instance}} {{world}} dirtied',
          },
          {
            expr: `${m.last_migration_transfer_bytes_per_second.name}{${own}}`,
            legend: '{{instance}} {{world}} sent',
          },
        ),
        series(
          'Rounds',
          {
            unit: 'none',
            says: 'Live rounds: median of six migrations or more, 95 % quantile of twenty or more.',
            width: 8,
          },
          { expr: quantile(0.5, m.migration_rounds.name, 'world'), legend: '{{world}} p50' },
          { expr: quantile(0.95, m.migration_rounds.name, 'world'), legend: '{{world}} p95' },
        ),
        series(
          'Total time (median)',
          { unit: 's', says: 'Of six migrations or more, by world.', width: 16 },
          { expr: quantile(0.5, m.migration_duration_seconds.name, 'world'), legend: '{{world}}' },
        ),
        series(
          'Pages',
          { unit: 'short', says: 'Pages a second: sent, deferred, skipped.' },
          { expr: rate(m.migration_pages_total.name, 'kind'), legend: '{{kind}}' },
        ),
        series(
          'Bytes',
          { unit: 'Bps', says: 'Sent in live rounds and while the guest was paused.' },
          { expr: rate(m.migration_bytes_total.name, 'phase'), legend: '{{phase}}' },
        ),
      ],
    },
    {
      title: 'Waiting',
      panels: [
        series(
          'Queue',
          { unit: 'short', says: 'Jobs, waiting and running.', width: 8 },
          { expr: `sum by (kind, state) (${m.queue_jobs.name}{${ours}})`, legend: '{{kind}}s {{state}}' },
        ),
        series(
          'Waiting longest',
          {
            unit: 's',
            says: 'How long the job has waited that waits longest. An alert says so from five minutes on.',
            bad: { above: 300 },
            width: 8,
          },
          { expr: `${m.queue_oldest_wait_seconds.name}{${ours}}`, legend: '{{instance}} {{kind}}' },
        ),
        series(
          'Waited before they ran (mean)',
          { unit: 's', says: 'Jobs that began to run in the time shown.', width: 8 },
          {
            expr: `sum by (kind) (increase(${m.queue_wait_seconds.name}_sum{${ours}}[$__range])) / (sum by (kind) (increase(${m.queue_wait_seconds.name}_count{${ours}}[$__range])) > 0)`,
            legend: '{{kind}}',
          },
        ),
      ],
    },
    {
      title: 'The daemon',
      panels: [
        series(
          'Event loop of the host’s thread, p99 of its delay',
          {
            unit: 's',
            says: 'How late what is due in the thread runs that carries out migrations. From a tenth of a second on, watchdogs and renewals of leases are late.',
            bad: { above: 0.1 },
            width: 8,
          },
          { expr: `${node.eventLoop}{${ours}}`, legend: '{{instance}}' },
        ),
        series(
          'Memory',
          { unit: 'bytes', says: 'Of the whole process, and the heap of the host’s thread.', width: 8 },
          { expr: `${node.memory}{${ours}}`, legend: '{{instance}} process' },
          { expr: `${node.heap}{${ours}}`, legend: '{{instance}} heap' },
        ),
        series(
          'CPU time',
          { unit: 'percentunit', says: 'Of the whole process, as a part of one processor.', width: 8 },
          { expr: `rate(${node.cpu}{${ours}}[$__rate_interval])`, legend: '{{instance}}' },
        ),
        series(
          'Guests',
          { unit: 'short', says: 'Guests that the daemons know, by state.', width: 8 },
          { expr: `sum by (state) (${m.guests.name}{${ours}})`, legend: '{{state}}' },
        ),
        series(
          'Watchers',
          { unit: 'short', says: 'Clients that watch events. At most 2,000 are admitted.', width: 8 },
          { expr: `${m.event_watchers.name}{${ours}}`, legend: '{{instance}}' },
        ),
        figure(
          'Can write what happens',
          {
            unit: 'bool_yes_no',
            says: 'No: nothing new is taken, most likely because the disk is full.',
            bad: { below: 1 },
            width: 8,
          },
          { expr: `${m.event_log_writable.name}{${ours}}`, legend: '{{instance}}' },
        ),
      ],
    },
  ],
);
