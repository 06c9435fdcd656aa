import { metricTable as m } from '../src/daemon/metric-table.ts';
import { dashboard, ours, quantile, series } from './panels.ts';

const histogram = m.guarantee_downtime_seconds.name;
/** Over all time that is shown, because there may be few migrations of each kind. */
const overall = (q: number, by: string, where: string) =>
  `histogram_quantile(${q}, sum by (le, ${by}) (increase(${histogram}_bucket{${ours}, ${where}}[$__range])))`;

const mean = (guarantee: string) => {
  const where = `{${ours}, antagonists="hogs", guarantee="${guarantee}"}[$__range]`;
  return `(sum by (world) (increase(${histogram}_sum${where})) / sum by (world) (increase(${histogram}_count${where})))`;
};

/** The project's question: what do guarantees do to the downtime? */
export const guarantees = dashboard(
  'switchover-guarantees',
  'Switchover / Guarantees and downtime',
  'What guarantees do to the downtime while other programs compete for the processor.',
  [
    {
      title: 'Beside hogs: with and without a guarantee',
      panels: [
        series(
          'Downtime by guarantee, p95, hogs present',
          {
            unit: 's',
            width: 24,
            says: 'none: nothing reserved. guest, sender, both: who has a CPU reservation.',
          },
          {
            expr: quantile(0.95, histogram, 'world, guarantee', 'antagonists="hogs"'),
            legend: '{{world}}, {{guarantee}}',
          },
        ),
        series(
          'Downtime by guarantee, p50, all of the time shown',
          { unit: 's', says: 'The same over the whole range. It is steadier, because migrations are rare.' },
          {
            expr: overall(0.5, 'world, guarantee', 'antagonists="hogs"'),
            legend: '{{world}}, {{guarantee}}',
          },
        ),
        series(
          'Downtime by guarantee, p95, all of the time shown',
          {
            unit: 's',
            says: 'The question in one panel: is the line with a guarantee below the one without?',
          },
          {
            expr: overall(0.95, 'world, guarantee', 'antagonists="hogs"'),
            legend: '{{world}}, {{guarantee}}',
          },
        ),
        series(
          'Gain',
          {
            unit: 'short',
            says: 'Mean downtime without a guarantee divided by that with one for guest and sender, beside hogs.',
          },
          {
            expr: `${mean('none')} / ${mean('both')}`,
            legend: '{{world}}: without / with',
          },
        ),
        series(
          'Without hogs, p95',
          {
            unit: 's',
            says: 'No other program competes for the processor, so a guarantee cannot improve this.',
          },
          {
            expr: overall(0.95, 'world, guarantee', 'antagonists="none"'),
            legend: '{{world}}, {{guarantee}}',
          },
        ),
      ],
    },
    {
      title: 'How much guarantee?',
      panels: [
        series(
          "By the sender's share Q/P (median)",
          {
            unit: 's',
            says: 'Each share is rounded up to a step. A larger share shortens the downtime until the link is the limit.',
          },
          {
            expr: overall(0.5, 'world, sender_share', 'sender_share!="none"'),
            legend: '{{world}}, Q/P ≤ {{sender_share}}',
          },
        ),
        series(
          "By the sender's period P (median)",
          {
            unit: 's',
            says: 'The same share in longer periods has longer blackouts.',
          },
          {
            expr: overall(0.5, 'world, sender_period', 'sender_period!="none"'),
            legend: '{{world}}, P ≤ {{sender_period}}',
          },
        ),
        series(
          'By b_d, the rate reserved for the stop (median)',
          { unit: 's', says: 'Each rate is rounded up to a step.' },
          {
            expr: overall(0.5, 'world, stop_rate', 'antagonists=~".*"'),
            legend: '{{world}}, b_d ≤ {{stop_rate}}',
          },
        ),
        series(
          'Migrations behind these figures',
          { unit: 'short', says: 'A quantile of few migrations is not reliable.' },
          {
            expr: `sum by (world, guarantee, antagonists) (increase(${histogram}_count{${ours}}[$__range]))`,
            legend: '{{world}}, {{guarantee}}, hogs: {{antagonists}}',
          },
        ),
      ],
    },
  ],
);
