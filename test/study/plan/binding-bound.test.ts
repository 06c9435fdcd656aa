import { describe, expect, test } from 'vitest';
import type { RealTimeTask } from '../../../src/core/schedulability/real-time-task.ts';
import { plan } from '../../../src/study/plan/planned.ts';
import { boundOf, type Document, document, problemOf } from './planned-documents.ts';

const cyclic = { kind: 'sequential', pages: 20000, writesPerSecond: 60000 };

describe('the bound that binds', () => {
  test.each<[string, string, Document, string, string, string[]?]>([
    [
      'device state and device time, each of which would fit',
      'guest.device.state',
      document({ device: { state: '2GiB', time: '100ms' } }, { capacity: '10Gbit/s', rate: '1Gbit/s' }),
      'downtime<=1.8s',
      '2 GiB of device state need 1.72 s at 10 Gbit/s, besides 100 ms of guest.device.time',
    ],
    [
      'one copy and the stop, each of which would fit',
      'guest.pages',
      document({ device: { time: '500ms' } }, { rate: '1Gbit/s' }),
      'total<=9s',
      'needs 8.62 s at 1 Gbit/s, besides 500 ms of guest.device.time',
    ],
    [
      'a sender that prepares fewer pages than the guest writes',
      'sender.cpuPerPage',
      document({ program: cyclic }, { rate: '10Gbit/s' }, { sender: { cpuPerPage: '50us' } }),
      'downtime<=300ms',
      'of which the sender prepares',
    ],
    [
      'latency and device time, the longer of which is named',
      'guest.device.time',
      document({ device: { time: '200ms' } }, { rate: '10Gbit/s', latency: '50ms' }),
      'downtime<=300ms',
      '200 ms of guest.device.time and 150 ms of link.latency',
    ],
    [
      'a guest that writes all its pages faster than the link carries them',
      'guest.program',
      document(
        { program: { kind: 'saturating', pages: 50000, writesPerSecond: 200000 } },
        { capacity: '1Gbit/s', rate: '100Mbit/s' },
      ),
      'downtime<=1s',
      'of which the link carries 7585 meanwhile: the other 42314 need 1.39 s at 1 Gbit/s',
    ],
    [
      'the total, where the downtime can be kept',
      'guest.pages',
      document({}, { rate: '1Gbit/s' }),
      'downtime<=1s, total<=5s',
      'one copy of the memory, 1 GiB, needs 8.62 s',
    ],
    [
      'a hand-over that takes longer than the target',
      'sender.cpuPerHandover',
      document({}, { rate: '10Gbit/s', latency: '100us' }, { sender: { cpuPerHandover: '5ms' } }),
      'downtime<=4ms',
      '5 ms of sender.cpuPerHandover and 300 µs of link.latency',
    ],
    [
      'a b_d that is kept below what the link has',
      'guest.device.state',
      document({ device: { state: '512MiB' } }, { capacity: '10Gbit/s', rate: '1Gbit/s' }),
      'downtime<=1s',
      '512 MiB of device state need 4.29 s at 1 Gbit/s of link.stopRate, which is kept',
      ['link.stopRate'],
    ],
    [
      'a b that is kept below what the guest writes',
      'guest.program',
      document({ program: cyclic }, { capacity: '10Gbit/s', rate: '100Mbit/s' }),
      'downtime<=50ms',
      'of which the link carries',
      ['link.rate'],
    ],
    [
      'cross traffic that leaves a twentieth of the link',
      'guest.device.state',
      document(
        { device: { state: '64MiB' } },
        { capacity: '10Gbit/s', rate: '100Mbit/s' },
        { background: [{ kind: 'cross-traffic', rate: '9.5Gbit/s' }] },
      ),
      'downtime<=1s',
      '64 MiB of device state need 1.07 s at 500 Mbit/s',
    ],
    [
      'a guest whose reservation leaves the sender a fifth of the processor',
      'sender.cpuPerPage',
      document(
        { reservation: { budget: '8ms', period: '10ms' } },
        { rate: '1Gbit/s' },
        { cpu: { scheduler: 'cbs-hard' }, sender: { cpuPerPage: '20us' } },
      ),
      'total<=20s',
      'takes the sender 26.2 s with 0.20 of a processor',
    ],
    [
      'a hand-over that the same guest slows down',
      'sender.cpuPerHandover',
      document(
        { reservation: { budget: '8ms', period: '10ms' } },
        { rate: '1Gbit/s' },
        { cpu: { scheduler: 'cbs-hard' }, sender: { cpuPerHandover: '100ms' } },
      ),
      'downtime<=300ms',
      '484 ms of sender.cpuPerHandover (with 0.20 of a processor',
    ],
    [
      'a time-out by which the link has not carried the memory',
      'migration.timeout',
      document({}, { rate: '1Gbit/s' }, { migration: { timeout: '5s' } }),
      'downtime<=1s',
      'in the 5 s of migration.timeout the link carries 596 MiB',
    ],
    [
      'a stop that is broken off before the device state is over',
      'guest.device.state',
      document({ device: { state: '2GiB' } }, { rate: '10Gbit/s' }, { migration: { stopTimeout: '1s' } }),
      'total<=60s',
      'need 1.72 s at 10 Gbit/s, and migration.stopTimeout ends a stop after 1 s',
    ],
  ])('is found for %s: %s', (_, key, written, target, reason, keep) => {
    const bound = boundOf(written, target, keep);
    expect(bound).toMatchObject({ key, reason: expect.stringContaining(reason) });
    expect(bound!.atLeastNs).toBeGreaterThan(bound!.limitNs);
  });
});

describe('a task set in the guest', () => {
  const reservation = { budgetNs: 4e6, periodNs: 10e6 };
  const answerFor = (task: RealTimeTask, guest: Document = {}) =>
    plan(
      { ...problemOf(document(guest, { rate: '10Gbit/s' }), 'total<=100s'), target: [] },
      { policy: 'edf', tasks: [task], names: ['control'], reservation },
      1,
    );

  test.each([
    [
      'that has no slack',
      { workNs: 40e6, periodNs: 100e6 },
      'control can miss its deadline without any stop',
    ],
    [
      'whose slack a new server may use up',
      { workNs: 2e6, periodNs: 100e6, deadlineNs: 16e6 },
      'control may stand for no more than 2 ms',
    ],
  ])('%s is refused, and the reservation named', async (_, task, reason) => {
    expect(await answerFor(task)).toMatchObject({
      feasible: false,
      migrations: 0,
      bound: { key: 'guest.reservation' },
      reason: expect.stringContaining(reason),
    });
  });

  test('that may stand for less than the devices take is refused, and these named', async () => {
    const control = { workNs: 2e6, periodNs: 100e6, deadlineNs: 80e6 };
    expect(await answerFor(control, { device: { time: '100ms' } })).toMatchObject({
      feasible: false,
      bound: { key: 'guest.device.time', limitNs: 60e6, atLeastNs: 100e6 },
    });
  });
});
