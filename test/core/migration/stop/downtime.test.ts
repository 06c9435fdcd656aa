import { expect, test } from 'vitest';
import { downtime } from '../../../../src/core/migration/stop/downtime.ts';
import { constantRate, decided, GiB, MiB, MS, progress, run, SECOND } from './progress.ts';

const qemu = decided(downtime.rule(downtime.defaults));

test('QEMU stops as soon as less is pending than fits into 300 ms, and not when it just fits', () => {
  const bandwidthBytesPerSecond = 1000 * MiB;
  expect(qemu(progress({ bandwidthBytesPerSecond, pendingBytes: 300 * MiB }))).toBeUndefined();
  expect(qemu(progress({ bandwidthBytesPerSecond, pendingBytes: 300 * MiB - 1 }))).toEqual({
    decision: 'stop',
    reason: '300 ms left, limit 300 ms',
  });
});

test('before anything has been sent there is no bandwidth, and so no stop', () => {
  expect(qemu(progress({ bandwidthBytesPerSecond: 0, pendingBytes: 1 }))).toBeUndefined();
});

test('with nothing pending it stops, whatever the bandwidth', () => {
  const nothing = progress({ bandwidthBytesPerSecond: 0, pendingBytes: 0 });
  expect(qemu(nothing)).toEqual({ decision: 'stop', reason: '0 ns left, limit 300 ms' });
});

test('a limit of zero waits until nothing is pending', () => {
  const none = decided(downtime.rule({ limitNs: 0 }));
  expect(none(progress({ pendingBytes: 1 }))).toBeUndefined();
  expect(none(progress({ pendingBytes: 0 }))?.decision).toBe('stop');
});

test('an idle guest is stopped within its first round, 300 ms before the end of it', () => {
  const idle = { guestBytes: GiB, bandwidthBytesPerSecond: 100 * MiB, dirtiedBytes: () => 0 };
  const end = run(qemu, idle);
  expect(end?.at.roundEnded).toBe(false);
  expect(end?.at.rounds).toHaveLength(0);
  expect(end?.at.elapsedNs).toBeGreaterThan(9.94 * SECOND);
  expect(end?.at.elapsedNs).toBeLessThanOrEqual(9.96 * SECOND);
});

test('what is left at the stop is below bandwidth × limit, and no more than a batch below', () => {
  const batchNs = MS;
  const migration = {
    guestBytes: GiB,
    bandwidthBytesPerSecond: 100 * MiB,
    dirtiedBytes: constantRate(60 * MiB),
    batchNs,
  };
  const left = run(qemu, migration)?.at.pendingBytes ?? 0;
  expect(left).toBeLessThan(30 * MiB);
  expect(left).toBeGreaterThan(30 * MiB - (100 * MiB * batchNs) / SECOND);
});

/** 8 GiB over 1 Gbit/s at 650 Mbit/s dirtied: KubeVirt measured 112.4 s and 69 iterations (VEP 291). */
test('a constant dirty rate predicts 13 rounds and 196 s for the migration that KubeVirt measured', () => {
  const vep291 = {
    guestBytes: 8 * GiB,
    bandwidthBytesPerSecond: 125e6,
    dirtiedBytes: constantRate(650e6 / 8),
  };
  const end = run(qemu, vep291);
  expect(end?.at.rounds).toHaveLength(12);
  expect(end?.at.roundEnded).toBe(false);
  expect(((end?.at.elapsedNs ?? 0) + 300 * MS) / SECOND).toBeCloseTo(196, 0);
});

test('a guest that dirties as fast as the link sends is followed for ever', () => {
  const hopeless = {
    guestBytes: GiB,
    bandwidthBytesPerSecond: 1000 * MiB,
    dirtiedBytes: constantRate(1000 * MiB),
    batchNs: 100 * MS,
  };
  expect(run(qemu, hopeless, 200)).toBeUndefined();
});
