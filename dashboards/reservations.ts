import { metricTable as m } from '../src/daemon/metric-table.ts';
import { dashboard, ours, rate, series } from './panels.ts';

const BY = 'world, server';
const NAMED = '{{world}} {{server}}';

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
            unit: 's',
            says: 'CPU seconds a second. Promised is Q for every period at whose deadline there was work: delivered must not be below it.',
          },
          { expr: rate(m.delivered.name, BY), legend: `${NAMED} delivered` },
          { expr: rate(m.promised.name, BY), legend: `${NAMED} promised` },
        ),
        series(
          'Delivered / promised',
          { unit: 'percentunit', says: 'Below 100 % somebody did not get what was promised.' },
          { expr: `${rate(m.delivered.name, BY)} / ${rate(m.promised.name, BY)}`, legend: NAMED },
        ),
        series(
          'Missed periods',
          { unit: 'percentunit', says: 'Of the periods with work, those that left budget unserved.' },
          {
            expr: `${rate(m.missedPeriods.name, BY)} / ${rate(m.periods.name, BY)}`,
            legend: NAMED,
          },
        ),
        series(
          'Noise: what the machine is to blame for',
          {
            unit: 'short',
            says: 'Missed periods a second, by cause. The machine: an independent probe saw it stand still.',
          },
          { expr: rate(m.missedPeriods.name, 'cause'), legend: '{{cause}}' },
        ),
        series(
          'Blackout against its bound',
          { unit: 's', says: 'The longest time without service while there was work; 2(P − Q) bounds it.' },
          { expr: `${m.blackout.name}{${ours}}`, legend: NAMED },
          { expr: `${m.blackoutBound.name}{${ours}}`, legend: `${NAMED} bound` },
        ),
        series(
          'Share error over ten periods',
          { unit: 'percentunit', says: 'How far the share was from Q/P: median and 99 %.' },
          { expr: `${m.shareError.name}{${ours}}`, legend: `${NAMED} {{statistic}}` },
        ),
        series(
          'Reservations: Q/P',
          { unit: 'percentunit', says: 'The share that was asked for last.' },
          {
            expr: `${m.budget.name}{${ours}} / ${m.period.name}{${ours}}`,
            legend: NAMED,
          },
        ),
        series(
          'Reserved and reservable processors',
          {
            unit: 'short',
            says: 'For all that runs on a host: guests that live there, senders, experiments.',
          },
          { expr: `${m.cpuReserved.name}{${ours}}`, legend: '{{instance}} {{holder}}' },
          { expr: `${m.cpuReservable.name}{${ours}}`, legend: '{{instance}} reservable' },
        ),
        series(
          'Heartbeats that were late',
          { unit: 'percentunit', says: 'What a client of the guest sees of it.' },
          {
            expr: `${rate(m.heartbeats.name, 'world', 'kind="late"')} / ${rate(m.heartbeats.name, 'world', 'kind="sent"')}`,
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
          { expr: `sum by (link) (${m.linkReserved.name}{${ours}})`, legend: '{{link}} reserved' },
          { expr: rate(m.linkSent.name, 'link'), legend: '{{link}} used' },
          { expr: `sum by (link) (${m.linkCapacity.name}{${ours}})`, legend: '{{link}} capacity' },
        ),
        series(
          'Used of what was granted',
          { unit: 'percentunit', says: 'The rest was lost to a full bucket.' },
          { expr: `${m.linkUtilisation.name}{${ours}}`, legend: '{{instance}} {{world}}' },
        ),
        series(
          'Reservations broken',
          { unit: 'short', says: 'Migrations that sent more than their bucket allows; none is right.' },
          {
            expr: `sum by (world) (increase(${m.linkViolations.name}{${ours}}[$__rate_interval]))`,
            legend: '{{world}}',
          },
        ),
        series(
          'Refused and waiting',
          { unit: 'short', says: 'What admission did not let in, and what waits for room.' },
          {
            expr: `sum by (reason) (increase(${m.refusals.name}{${ours}}[$__rate_interval]))`,
            legend: 'refused: {{reason}}',
          },
          { expr: `sum by (link) (${m.linkWaiting.name}{${ours}})`, legend: 'waiting: {{link}}' },
        ),
      ],
    },
  ],
);
