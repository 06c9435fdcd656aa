import { metricTable as m } from '../src/daemon/metric-table.ts';
import { dashboard, figure, heat, ours, quantile, rate, series } from './panels.ts';

/** How migrations go: how long the guest stands, whether it was foreseen, whether they converge. */
export const migrations = dashboard(
  'switchover-migrations',
  'Switchover / Migrations',
  'How long guests stand, whether that was foreseen, and whether migrations converge.',
  [
    {
      title: 'The last migration',
      panels: [
        figure(
          'Downtime',
          {
            unit: 's',
            says: 'It outlives the migration, which may be shorter than the interval of scrapes.',
          },
          { expr: `${m.lastDowntime.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Predicted',
          { unit: 's', says: 'What the model had said of the memory part.' },
          { expr: `${m.lastPredictedDowntime.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Total time',
          { unit: 's', says: 'From the start of tracking to the guest running there.' },
          { expr: `${m.lastDuration.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Rounds',
          { unit: 'none', says: 'Live rounds before the stop.' },
          { expr: `${m.lastRounds.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Convergence ratio',
          { unit: 'percentunit', says: 'Dirty rate over transfer rate; from 100 % on it never converges.' },
          { expr: `${m.lastConvergence.name}{${ours}}`, legend: '{{world}}' },
        ),
        figure(
          'Since then',
          { unit: 's', says: 'How long ago it ended.' },
          { expr: `time() - ${m.lastEnded.name}{${ours}}`, legend: '{{world}}' },
        ),
      ],
    },
    {
      title: 'Downtime',
      panels: [
        series(
          'Downtime, quantiles',
          { unit: 's', says: 'Of all migrations that ended in the interval; within the width of a bucket.' },
          { expr: quantile(0.5, m.downtime.name), legend: 'p50' },
          { expr: quantile(0.95, m.downtime.name), legend: 'p95' },
          { expr: quantile(0.99, m.downtime.name), legend: 'p99' },
          { expr: `max(${m.downtimeTarget.name}{${ours}})`, legend: 'target' },
        ),
        heat(
          'Downtime, how often',
          { unit: 's', says: 'Every row is a bucket; the brighter, the more migrations.' },
          {
            expr: `sum by (le) (increase(${m.downtime.name}_bucket{${ours}}[$__rate_interval]))`,
            legend: '{{le}}',
          },
        ),
        series(
          'Predicted against measured (median)',
          {
            unit: 's',
            says: 'The model speaks of the memory part. A steady gap is the rest of the downtime; one that grows is a guest that the model misjudges.',
          },
          { expr: quantile(0.5, m.predictedDowntime.name, 'world'), legend: '{{world}} predicted' },
          {
            expr: quantile(0.5, m.downtime.name, 'world', 'outcome="completed"'),
            legend: '{{world}} measured',
          },
          { expr: quantile(0.5, m.clientGap.name, 'world'), legend: '{{world}} seen by the client' },
        ),
        series(
          'What the downtime consists of (mean)',
          { unit: 's', says: 'Memory, state, verification, commit, resume.' },
          {
            expr: `${rate(`${m.downtimePart.name}_sum`, 'part')} / ${rate(`${m.downtimePart.name}_count`, 'part')}`,
            legend: '{{part}}',
          },
        ),
        series(
          'Downtime by page order (median)',
          { unit: 's', says: 'Which order pays on these guests.' },
          { expr: quantile(0.5, m.downtime.name, 'order'), legend: '{{order}}' },
        ),
        series(
          'Downtime by stop rule (median)',
          { unit: 's', says: 'Which rule pays on these guests.' },
          { expr: quantile(0.5, m.downtime.name, 'stop'), legend: '{{stop}}' },
        ),
      ],
    },
    {
      title: 'Convergence and effort',
      panels: [
        series(
          'Convergence ratio',
          { unit: 'percentunit', says: 'Dirty rate over transfer rate of the last live round, quantiles.' },
          { expr: quantile(0.5, m.convergence.name), legend: 'p50' },
          { expr: quantile(0.95, m.convergence.name), legend: 'p95' },
        ),
        series(
          'Dirty and transfer rate of the last migration',
          { unit: 'Bps', says: 'Where the two lines meet, convergence ends.' },
          { expr: `${m.lastDirtyRate.name}{${ours}}`, legend: '{{world}} dirtied' },
          { expr: `${m.lastTransferRate.name}{${ours}}`, legend: '{{world}} sent' },
        ),
        series(
          'Rounds',
          { unit: 'none', says: 'Live rounds, quantiles.', width: 8 },
          { expr: quantile(0.5, m.rounds.name), legend: 'p50' },
          { expr: quantile(0.95, m.rounds.name), legend: 'p95' },
        ),
        series(
          'Outcomes',
          { unit: 'short', says: 'Migrations that ended in the interval.', width: 8 },
          {
            expr: `sum by (outcome) (increase(${m.migrations.name}{${ours}}[$__rate_interval]))`,
            legend: '{{outcome}}',
          },
        ),
        series(
          'Total time (median)',
          { unit: 's', says: 'By world.', width: 8 },
          { expr: quantile(0.5, m.duration.name, 'world'), legend: '{{world}}' },
        ),
        series(
          'Pages',
          { unit: 'short', says: 'Pages a second by what became of them.' },
          { expr: rate(m.pages.name, 'kind'), legend: '{{kind}}' },
        ),
        series(
          'Bytes',
          { unit: 'Bps', says: 'Sent in live rounds and while the guest stood.' },
          { expr: rate(m.bytes.name, 'phase'), legend: '{{phase}}' },
        ),
      ],
    },
    {
      title: 'The daemon',
      panels: [
        series(
          'Queue',
          { unit: 'short', says: 'Jobs that wait and that run.', width: 8 },
          { expr: `sum by (kind, state) (${m.queue.name}{${ours}})`, legend: '{{kind}} {{state}}' },
        ),
        series(
          'Waited (p95)',
          { unit: 's', says: 'How long jobs waited before they ran.', width: 8 },
          { expr: quantile(0.95, m.queueWait.name, 'kind'), legend: '{{kind}}' },
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
