import { watchMetricTable as m } from '../src/daemon/watch-metric-table.ts';
import { counts, dashboard, figure, heat, ours, series, watched } from './panels.ts';

const EACH = '{{instance}} {{monitor}}';
const STATISTIC = `${EACH} {{statistic}}`;

/** Migrations that others carry out: of the machines that daemons or `switchover watch` follow. */
export const watchedMachines = dashboard(
  'switchover-watched',
  'Switchover / Watched machines',
  'Migrations of QEMU that others carry out: what goes on, what is predicted, and how they ended.',
  [
    {
      title: 'What goes on',
      panels: [
        figure(
          'Can be asked',
          {
            unit: 'bool_yes_no',
            says: 'No: its QEMU has ended, or somebody else uses its monitor. The page of the daemon says why.',
            bad: { below: 1 },
            width: 12,
            leadsTo: 'machine',
          },
          { expr: `${m.watched_up.name}{${ours}}`, legend: EACH },
        ),
        figure(
          'Ends by itself',
          {
            unit: 'percentunit',
            says: 'The probability that the migration that goes on ends without help.',
            bad: { below: 0.5 },
            width: 12,
            leadsTo: 'machine',
          },
          { expr: `${m.watched_ends_by_itself_ratio.name}{${ours}}`, legend: EACH },
        ),
        series(
          'Left',
          { unit: 'bytes', says: 'Memory that is left to be sent.' },
          { expr: `${m.watched_left_bytes.name}{${ours}}`, legend: EACH },
        ),
        series(
          'Ends in',
          {
            unit: 's',
            says: 'In what time it is predicted to end, if it does: the median, and an interval of 90 %.',
          },
          { expr: `${m.watched_predicted_left_seconds.name}{${ours}}`, legend: STATISTIC },
        ),
        series(
          'Downtime predicted',
          {
            unit: 's',
            says: 'Of its memory: the median and an interval of 90 %, beside what QEMU expects. Devices are not in it.',
          },
          { expr: `${m.watched_predicted_downtime_seconds.name}{${ours}}`, legend: STATISTIC },
          { expr: `${m.watched_expected_downtime_seconds.name}{${ours}}`, legend: `${EACH} QEMU expects` },
        ),
        series(
          'Sent and dirtied',
          { unit: 'Bps', says: 'Where the guest dirties more than is sent, the migration does not end.' },
          { expr: `${m.watched_transfer_bytes_per_second.name}{${ours}}`, legend: `${EACH} sent` },
          { expr: `${m.watched_dirty_bytes_per_second.name}{${ours}}`, legend: `${EACH} dirtied` },
        ),
        series(
          'Dirty syncs',
          { unit: 'none', says: 'How often dirty pages were looked for: a round each.' },
          { expr: `${m.watched_dirty_syncs.name}{${ours}}`, legend: EACH },
        ),
        series(
          'Throttle',
          { unit: 'percentunit', says: 'The part of the guest’s CPU time that auto-converge takes away.' },
          { expr: `${m.watched_throttle_ratio.name}{${ours}}`, legend: EACH },
        ),
      ],
    },
    {
      title: 'What has been',
      panels: [
        figure(
          'Last downtime',
          {
            unit: 's',
            says: 'As QEMU says it, of migrations that it completed.',
            width: 8,
            leadsTo: 'machine',
          },
          { expr: `${m.last_migration_downtime_seconds.name}{${watched}}`, legend: EACH },
        ),
        figure(
          'Last total time',
          {
            unit: 's',
            says: 'As QEMU says it, of migrations that it completed.',
            width: 8,
            leadsTo: 'machine',
          },
          { expr: `${m.last_migration_duration_seconds.name}{${watched}}`, legend: EACH },
        ),
        figure(
          'Since then',
          { unit: 's', says: 'How long ago the last migration ended.', width: 8, leadsTo: 'machine' },
          { expr: `time() - ${m.last_migration_end_timestamp_seconds.name}{${watched}}`, legend: EACH },
        ),
        counts(
          'How they ended',
          { unit: 'short', says: 'Migrations in the time shown, by machine and outcome.' },
          {
            expr: `sum by (monitor, outcome) (increase(${m.migrations_total.name}{${watched}}[$__range]))`,
            legend: '{{monitor}}, {{outcome}}',
          },
        ),
        heat(
          'Downtime, how often',
          {
            unit: 's',
            says: 'Of all watched machines. Every row is a bucket. Brighter means more migrations.',
          },
          {
            expr: `sum by (le) (increase(${m.migration_downtime_seconds.name}_bucket{${ours}, world="qemu-native", order=""}[$__rate_interval]))`,
            legend: '{{le}}',
          },
        ),
      ],
    },
  ],
);
