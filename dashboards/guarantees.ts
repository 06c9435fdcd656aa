import { metricTable as m } from '../src/daemon/metric-table.ts';
import { counts, dashboard, figure, heat, ours, quantile, series } from './panels.ts';

const histogram = m.guarantee_downtime_seconds.name;
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
      title: 'Promises',
      panels: [
        counts(
          'Promises',
          {
            unit: 'short',
            says: 'Migrations of guests in the time shown by whether all that was reserved for them was kept: CPU time of guest and sender, the rate on the link, and the bound of the stop that follows from them. none: nothing was reserved.',
            width: 12,
          },
          {
            expr: `sum by (verdict) (increase(${m.promises_total.name}{${ours}}[$__range]))`,
            legend: '{{verdict}}',
          },
        ),
        figure(
          'Broken',
          {
            unit: 'short',
            says: 'Migrations of guests, since their daemon began, for which something that was reserved was not kept.',
            bad: { above: 1 },
            width: 12,
          },
          {
            expr: `${m.promises_total.name}{${ours}, verdict="broken"}`,
            legend: '{{instance}}',
          },
        ),
        series(
          'Targets missed, and as many as chance allows',
          {
            unit: 'short',
            says: 'Migrations asked for with a target, in the time shown: how many were held against it, how many missed it, and how many of them may by chance, the sum of 1 − q. A few more than that are no sign; the alert SwitchoverTargetsMissed knows how many are.',
          },
          {
            expr: `sum by (metric) (increase(${m.target_missed_total.name}{${ours}}[$__range]))`,
            legend: '{{metric}}: missed',
          },
          {
            expr: `sum by (metric) (increase(${m.target_expected_misses_total.name}{${ours}}[$__range]))`,
            legend: '{{metric}}: allowed by chance',
          },
          {
            expr: `sum by (metric) (increase(${m.target_kept_total.name}{${ours}}[$__range]))`,
            legend: '{{metric}}: kept',
          },
        ),
        heat(
          'Margin of targets, how often',
          {
            unit: 'percentunit',
            says: 'How far below the limit of their target completed migrations stayed, as a part of the limit. Every row is a bucket. Brighter means more migrations. Much of it: more is reserved than is needed. Below 0: missed.',
          },
          {
            expr: `sum by (le) (increase(${m.target_margin_ratio.name}_bucket{${ours}}[$__rate_interval]))`,
            legend: '{{le}}',
          },
        ),
      ],
    },
    {
      title: 'Beside hogs: with and without a guarantee',
      panels: [
        series(
          'Downtime by guarantee (median), hogs present',
          {
            unit: 's',
            says: 'The question in one panel: is the line with a guarantee below the one without? none: nothing reserved. guest, sender, both: who has a CPU reservation. Of six migrations or more each.',
          },
          {
            expr: quantile(0.5, histogram, 'world, guarantee', 'antagonists="hogs"'),
            legend: '{{world}}, {{guarantee}}',
          },
        ),
        counts(
          'Migrations behind these figures',
          {
            unit: 'short',
            says: 'How many there were of each kind in the time shown: n of every median and mean here.',
          },
          {
            expr: `sum by (world, guarantee, antagonists) (increase(${histogram}_count{${ours}}[$__range]))`,
            legend: '{{world}}, {{guarantee}}, hogs: {{antagonists}}',
          },
        ),
        series(
          'Gain',
          {
            unit: 'short',
            says: 'Mean downtime without a guarantee divided by that with one for guest and sender, beside hogs. Below 1 the guarantee costs more than it gains.',
            bad: { below: 1 },
          },
          {
            expr: `${mean('none')} / ${mean('both')}`,
            legend: '{{world}}: without / with',
          },
        ),
        series(
          'Without hogs (median)',
          {
            unit: 's',
            says: 'No other program competes for the processor, so a guarantee cannot improve this.',
          },
          {
            expr: quantile(0.5, histogram, 'world, guarantee', 'antagonists="none"'),
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
            expr: quantile(0.5, histogram, 'world, sender_share', 'sender_share!="none"'),
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
            expr: quantile(0.5, histogram, 'world, sender_period', 'sender_period!="none"'),
            legend: '{{world}}, P ≤ {{sender_period}}',
          },
        ),
        series(
          'By b_d, the rate reserved for the stop (median)',
          { unit: 's', says: 'Each rate is rounded up to a step.' },
          {
            expr: quantile(0.5, histogram, 'world, stop_rate', 'antagonists=~".*"'),
            legend: '{{world}}, b_d ≤ {{stop_rate}}',
          },
        ),
      ],
    },
  ],
);
