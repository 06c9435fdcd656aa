import { describe, expect, test } from 'vitest';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import { cellsOf, scenarioOf, seeded } from '../../../src/scenario/scenario.ts';
import { boundOf, type Document, document, problemOf } from './planned-documents.ts';

describe('a bound that contradicts a target', () => {
  test.each([
    [
      'guest.device.state',
      { device: { state: '2GiB' } },
      { rate: '10Gbit/s' },
      {},
      'downtime<=300ms',
      '2 GiB of device state need 1.72 s at 10 Gbit/s',
    ],
    [
      'guest.device.time',
      { device: { time: '400ms' } },
      { rate: '10Gbit/s' },
      {},
      'downtime<=300ms',
      'every stop has 400 ms of guest.device.time',
    ],
    [
      'sender.cpuPerHandover',
      {},
      { rate: '16Gbit/s' },
      { sender: { cpuPerHandover: '732ms' } },
      'downtime<=300ms',
      '732 ms of sender.cpuPerHandover',
    ],
    [
      'link.latency',
      {},
      { rate: '10Gbit/s', latency: '150ms' },
      {},
      'downtime<=300ms',
      '450 ms of link.latency',
    ],
    [
      'guest.pages',
      {},
      { rate: '1Gbit/s' },
      {},
      'total<=8s',
      'one copy of the memory, 1 GiB, needs 8.62 s at 1 Gbit/s',
    ],
    [
      'sender.cpuPerPage',
      {},
      { rate: '1Gbit/s' },
      { sender: { cpuPerPage: '50us' } },
      'total<=10s',
      'to prepare every page once takes the sender 13.1 s',
    ],
    [
      'guest.program',
      { program: { kind: 'sequential', pages: 20000, writesPerSecond: 60000 } },
      { rate: '1Gbit/s' },
      {},
      'downtime<=300ms',
      'the guest writes at least 20000 different pages in',
    ],
    ['guest.program', {}, { rate: '10Mbit/s' }, {}, 'downtime<=1s', 'at 10 Mbit/s'],
  ])('%s', (key, guest, link, others, target, reason) => {
    const bound = boundOf(document(guest, link, others), target);
    expect(bound).toMatchObject({ key, reason: expect.stringContaining(reason) });
    expect(bound!.atLeastNs).toBeGreaterThan(bound!.limitNs);
  });

  test('is never above what virtual time takes at the most that can be reserved', () => {
    const guest = { pages: 2000, device: { state: '1MiB', time: '20ms' }, zeroPages: 500 };
    const fast = { kind: 'sequential', pages: 1000, writesPerSecond: 40000 };
    const reservation = { budget: '8ms', period: '10ms' };
    const cpu = { scheduler: 'cbs-hard' };
    const sender = { cpuPerPage: '20us', cpuPerHandover: '30ms' };
    for (const [link, others] of [
      [{ rate: '200Mbit/s', latency: '3ms' }, { sender }],
      [{ rate: '1Gbit/s' }, { cpu, sender: { ...sender, reservation: { budget: '2ms', period: '10ms' } } }],
    ] as const) {
      for (const rounds of [0, 3]) {
        const reserved = 'cpu' in others ? { ...guest, reservation } : guest;
        const written = {
          ...document({ ...reserved, program: fast }, link, others),
          migration: { stop: { rule: 'rounds', rounds } },
        };
        const cell = cellsOf(scenarioOf(written, { name: 'x' }), [])[0]!;
        const { outcome, downtimeNs, totalNs } = migrateVirtually(seeded(cell, rounds));
        expect(outcome).toBe('completed');
        const kept = `downtime<=${Math.ceil(downtimeNs / 1e3)}us, total<=${Math.ceil(totalNs / 1e3)}us`;
        expect(boundOf(written, kept), kept).toBeUndefined();
      }
    }
  });

  test('is not found where the target can be kept', () => {
    for (const target of ['downtime<=40ms', 'total<=9s', 'downtime<=1s, total<=30s']) {
      expect(boundOf(document({}, { rate: '1Gbit/s' }), target), target).toBeUndefined();
    }
  });

  test('says how much of the link there would have to be', () => {
    const { neededCapacity } = boundOf(
      document({ device: { state: '2GiB' } }, { rate: '10Gbit/s' }),
      'downtime<=300ms',
    )!;
    const enough = document(
      { device: { state: '2GiB' } },
      { rate: '10Gbit/s', capacity: `${neededCapacity! + 1e6}B/s` },
    );
    expect(boundOf(enough, 'downtime<=300ms')).toBeUndefined();
    const less = document(
      { device: { state: '2GiB' } },
      { rate: '10Gbit/s', capacity: `${neededCapacity! - 1e6}B/s` },
    );
    expect(boundOf(less, 'downtime<=300ms')?.key).toBe('guest.device.state');
  });
});

describe('what is planned', () => {
  test('has the link that the scenario says is there, less what others send', () => {
    const problem = (link: Document, others: Document = {}) =>
      problemOf(document({}, link, others), 'total<=9s');
    expect(problem({ rate: '80Mbit/s' })).toMatchObject({ capacity: 1e7, capacityFrom: 'link.rate' });
    expect(problem({ rate: '8Mbit/s', stopRate: '80Mbit/s' })).toMatchObject({
      capacity: 1e7,
      capacityFrom: 'link.stopRate',
    });
    const crossed = problem(
      { rate: '8Mbit/s', capacity: '160Mbit/s' },
      { background: [{ kind: 'cross-traffic', rate: '80Mbit/s' }] },
    );
    expect(crossed).toMatchObject({ capacity: 1e7, capacityFrom: 'link.capacity' });
    expect(() => problem({ rate: 'unlimited' })).toThrow(
      'link.capacity: expected a rate, of which b and b_d are taken',
    );
    expect(
      cellsOf(
        scenarioOf(document({}, { rate: '8Mbit/s' }), { name: 'x' }),
        problem({ rate: '8Mbit/s' }).fixed,
      ),
    ).toHaveLength(1);
  });
});
