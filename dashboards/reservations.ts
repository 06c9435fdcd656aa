import { metricTable as m } from '../src/daemon/metric-table.ts';
import { dashboard, ours, rate, series } from './panels.ts';

const BY = 'world, server';
const NAMED = '{{world}} {{server}}';
/** Of the latest migration of every daemon. */
const EACH = `{{instance}} ${NAMED}`;

/** Whether what was reserved was delivered: CPU time and link. */
export const reservations = dashboard(
  'switchover-reservations',
  'Switchover / Reservations',
  'Whether what was reserved was delivered: CPU time to guest and sender, bytes on the link.',
  [
    {
      title: 'CPU: delivered against promised',
      panels: [
        series(
          'Delivered and promised CPU time',
          {
            unit: 'percentunit',
            says: 'Of one processor. Promised is Q for every period at whose deadline there was work; delivered must not be below it.',
          },
          { expr: rate(m.reservation_delivered_cpu_seconds_total.name, BY), legend: `${NAMED} delivered` },
          { expr: rate(m.reservation_promised_cpu_seconds_total.name, BY), legend: `${NAMED} promised` },
        ),
        series(
          'Delivered / promised',
          { unit: 'percentunit', says: 'Below 100 %, a reservation was not kept.', bad: { below: 1 } },
          {
            expr: `${rate(m.reservation_delivered_cpu_seconds_total.name, BY)} / ${rate(m.reservation_promised_cpu_seconds_total.name, BY)}`,
            legend: NAMED,
          },
        ),
        series(
          'Missed periods',
          {
            unit: 'percentunit',
            says: 'The share of periods with work in which budget was not served. More than 5 % in a migration is an alert.',
            bad: { above: 0.05 },
          },
          {
            expr: `${rate(m.reservation_missed_periods_total.name, BY)} / ${rate(m.reservation_periods_total.name, BY)}`,
            legend: NAMED,
          },
        ),
        series(
          'Missed periods by cause',
          {
            unit: 'short',
            says: 'Missed periods a second. Cause machine: an independent probe saw that the machine itself did not run.',
          },
          { expr: rate(m.reservation_missed_periods_total.name, 'cause'), legend: '{{cause}}' },
        ),
        series(
          'Blackout against its bound',
          { unit: 's', says: 'The longest time without service while there was work; 2(P − Q) bounds it.' },
          { expr: `${m.reservation_blackout_seconds.name}{${ours}}`, legend: EACH },
          { expr: `${m.reservation_blackout_bound_seconds.name}{${ours}}`, legend: `${EACH} bound` },
        ),
        series(
          'Share error over ten periods',
          { unit: 'percentunit', says: 'Deviation from the share Q/P: median and 99 % quantile.' },
          { expr: `${m.reservation_share_error_ratio.name}{${ours}}`, legend: `${EACH} {{statistic}}` },
        ),
        series(
          'Reservations: Q/P',
          { unit: 'percentunit', says: 'The share that was reserved last.' },
          {
            expr: `${m.reservation_budget_seconds.name}{${ours}} / ${m.reservation_period_seconds.name}{${ours}}`,
            legend: EACH,
          },
        ),
        series(
          'Reserved and reservable processors',
          {
            unit: 'short',
            says: 'For all that runs on a host: guests that live there, senders, experiments.',
          },
          { expr: `${m.cpu_reserved_processors.name}{${ours}}`, legend: '{{instance}} {{holder}}' },
          { expr: `${m.cpu_reservable_processors.name}{${ours}}`, legend: '{{instance}} reservable' },
        ),
        series(
          'Heartbeats that were late',
          { unit: 'percentunit', says: 'The share of heartbeats that a client of the guest received late.' },
          {
            expr: `${rate(m.guest_heartbeats_total.name, 'world', 'kind="late"')} / ${rate(m.guest_heartbeats_total.name, 'world', 'kind="sent"')}`,
            legend: '{{world}}',
          },
        ),
      ],
    },
    {
      title: 'Link',
      panels: [
        series(
          'Reserved, used and capacity',
          { unit: 'Bps', says: 'Of every configured link.' },
          {
            expr: `sum by (link) (${m.link_reserved_bytes_per_second.name}{${ours}})`,
            legend: '{{link}} reserved',
          },
          { expr: rate(m.link_sent_bytes_total.name, 'link'), legend: '{{link}} used' },
          {
            expr: `sum by (link) (${m.link_capacity_bytes_per_second.name}{${ours}})`,
            legend: '{{link}} capacity',
          },
        ),
        series(
          'Used of what was granted',
          { unit: 'percentunit', says: 'The rest was lost because the token bucket was full.' },
          { expr: `${m.link_utilisation_ratio.name}{${ours}}`, legend: '{{instance}} {{world}}' },
        ),
        series(
          'Achieved of what was reserved',
          {
            unit: 'percentunit',
            says: 'At what rate bytes arrived, over the reserved one, in the live rounds and in the stop. Below nine tenths is an alert.',
            bad: { below: 0.9 },
          },
          {
            expr: `${m.link_achieved_ratio.name}{${ours}}`,
            legend: '{{instance}} {{world}} {{phase}}',
          },
        ),
        series(
          'Reservations broken',
          {
            unit: 'short',
            says: 'Migrations that sent more than their token bucket allows. There should be none.',
            bad: { above: 1 },
          },
          {
            expr: `sum by (world) (increase(${m.link_reservation_violations_total.name}{${ours}}[$__rate_interval]))`,
            legend: '{{world}}',
          },
        ),
        series(
          'Refused and waiting',
          {
            unit: 'short',
            says: 'Requests that were refused, and migrations that wait for their reservation.',
          },
          {
            expr: `sum by (reason) (increase(${m.admission_refusals_total.name}{${ours}}[$__rate_interval]))`,
            legend: 'refused: {{reason}}',
          },
          { expr: `sum by (link) (${m.link_waiting_migrations.name}{${ours}})`, legend: 'waiting: {{link}}' },
        ),
      ],
    },
  ],
);
