import { metricTable as m } from '../src/daemon/metric-table.ts';
import { dashboard, figure, heat, ours, quantile, rate, series } from './panels.ts';

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
          { expr: `${m.last_migration_downtime_seconds.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Predicted',
          { unit: 's', says: 'The downtime as the model predicted it.' },
          { expr: `${m.last_migration_predicted_downtime_seconds.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Total time',
          { unit: 's', says: 'From the start of the first round to the guest running at the destination.' },
          { expr: `${m.last_migration_duration_seconds.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Rounds',
          { unit: 'none', says: 'Live rounds before the pause.' },
          { expr: `${m.last_migration_rounds.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Convergence ratio',
          { unit: 'percentunit', says: 'Dirty rate over transfer rate; from 100 % on it never converges.' },
          { expr: `${m.last_migration_convergence_ratio.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Since then',
          { unit: 's', says: 'How long ago it ended.' },
          { expr: `time() - ${m.last_migration_end_timestamp_seconds.name}{${ours}}`, legend: '{{world}}' },
        ),
      ],
    },
    {
      title: 'Downtime',
      panels: [
        series(
          'Downtime, quantiles',
          {
            unit: 's',
            says: 'Of all migrations that ended in the interval; precise to the width of a bucket.',
          },
          { expr: quantile(0.5, m.migration_downtime_seconds.name), legend: 'p50' },
          { expr: quantile(0.95, m.migration_downtime_seconds.name), legend: 'p95' },
          { expr: quantile(0.99, m.migration_downtime_seconds.name), legend: 'p99' },
          { expr: `max(${m.downtime_target_seconds.name}{${ours}})`, legend: 'target' },
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
            expr: `${rate(`${m.migration_downtime_part_seconds.name}_sum`, 'part')} / ${rate(`${m.migration_downtime_part_seconds.name}_count`, 'part')}`,
            legend: '{{part}}',
          },
        ),
        series(
          'Downtime by page order (median)',
          { unit: 's', says: 'Which order is best for these guests.' },
          { expr: quantile(0.5, m.migration_downtime_seconds.name, 'order'), legend: '{{order}}' },
        ),
        series(
          'Downtime by stop rule (median)',
          { unit: 's', says: 'Which rule is best for these guests.' },
          { expr: quantile(0.5, m.migration_downtime_seconds.name, 'stop'), legend: '{{stop}}' },
        ),
      ],
    },
    {
      title: 'Convergence and effort',
      panels: [
        series(
          'Convergence ratio',
          { unit: 'percentunit', says: 'Dirty rate over transfer rate of the last live round, quantiles.' },
          { expr: quantile(0.5, m.migration_convergence_ratio.name), legend: 'p50' },
          { expr: quantile(0.95, m.migration_convergence_ratio.name), legend: 'p95' },
        ),
        series(
          'Dirty and transfer rate of the last migration',
          { unit: 'Bps', says: 'Where the two lines meet, migrations no longer converge.' },
          { expr: `${m.last_migration_dirty_bytes_per_second.name}{${ours}}`, legend: '{{world}} dirtied' },
          { expr: `${m.last_migration_transfer_bytes_per_second.name}{${ours}}`, legend: '{{world}} sent' },
        ),
        series(
          'Rounds',
          { unit: 'none', says: 'Live rounds, quantiles.', width: 8 },
          { expr: quantile(0.5, m.migration_rounds.name), legend: 'p50' },
          { expr: quantile(0.95, m.migration_rounds.name), legend: 'p95' },
        ),
        series(
          'Outcomes',
          { unit: 'short', says: 'Migrations that ended in the interval.', width: 8 },
          {
            expr: `sum by (outcome) (increase(${m.migrations_total.name}{${ours}}[$__rate_interval]))`,
            legend: '{{outcome}}',
          },
        ),
        series(
          'Total time (median)',
          { unit: 's', says: 'By world.', width: 8 },
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
      title: 'The daemon',
      panels: [
        series(
          'Queue',
          { unit: 'short', says: 'Jobs, waiting and running.', width: 8 },
          { expr: `sum by (kind, state) (${m.queue_jobs.name}{${ours}})`, legend: '{{kind}} {{state}}' },
        ),
        series(
          'Waited (p95)',
          { unit: 's', says: 'How long jobs waited before they ran.', width: 8 },
          { expr: quantile(0.95, m.queue_wait_seconds.name, 'kind'), legend: '{{kind}}' },
        ),
        series(
          'Guests',
          { unit: 'short', says: 'Where guests are.', width: 8 },
          { expr: `${m.guests.name}{${ours}}`, legend: '{{instance}} {{state}}' },
        ),
      ],
    },
  ],
);
