import { expect, test } from 'vitest';
import { cloudHypervisor } from '../../../../src/core/migration/stop/cloud-hypervisor.ts';
import { remainingNs } from '../../../../src/core/migration/stop/downtime.ts';
import { afterRounds, decided, GiB, MiB, MS, progress, run, SECOND, saturating } from './progress.ts';

/** Pull request #7799: a guest of 6144 MiB whose writer has a working set of about 5418 MiB. */
const log7799 = [
  { elapsedNs: 3.11 * SECOND, bandwidth: 1986.83, pending: 5418, estimateMs: 2727 },
  { elapsedNs: 6.14 * SECOND, bandwidth: 1824.44, pending: 5418, estimateMs: 2970 },
  { elapsedNs: 9.12 * SECOND, bandwidth: 1854.25, pending: 5428, estimateMs: 2927 },
].map(({ elapsedNs, bandwidth, pending, estimateMs }) => ({
  estimateMs,
  at: progress({
    roundEnded: true,
    elapsedNs,
    pendingBytes: pending * MiB,
    bandwidthBytesPerSecond: bandwidth * MiB,
  }),
}));

test('the estimates are those of the log of pull request #7799: 2727, 2970 and 2927 ms', () => {
  const estimates = log7799.map(({ at }) => Math.round(remainingNs(at) / MS));
  expect(estimates).toEqual([2727, 2970, 2927]);
  expect(estimates).toEqual(log7799.map(({ estimateMs }) => estimateMs));
});

test('each estimate is the least limit under which that log would have ended there', () => {
  for (const { at, estimateMs } of log7799) {
    const under = (limitMs: number) =>
      decided(cloudHypervisor.rule({ ...cloudHypervisor.defaults, limitNs: limitMs * MS }))(at)?.decision;
    expect([under(estimateMs - 1), under(estimateMs + 1)]).toEqual([undefined, 'stop']);
  }
});

const vm7799 = {
  guestBytes: 6 * GiB,
  bandwidthBytesPerSecond: 1850 * MiB,
  dirtiedBytes: saturating(20_000 * MiB, 5418 * MiB),
  batchNs: SECOND,
};

test('at 300 ms that guest is never stopped: after an hour the migration is given up', () => {
  const rule = decided(cloudHypervisor.rule(cloudHypervisor.defaults));
  for (const { at } of log7799) expect(rule(at)).toBeUndefined();
  const end = run(rule, vm7799, 10_000);
  expect(end?.verdict).toEqual({ decision: 'give up', reason: 'not converged within 3600 s, stop.timeout' });
  expect(end?.at.elapsedNs).toBeGreaterThanOrEqual(3600 * SECOND);
  expect(end?.at.elapsedNs).toBeLessThan(3604 * SECOND);
});

test('told to ignore the timeout it stops the guest then, at ten times the limit', () => {
  const end = run(
    decided(cloudHypervisor.rule({ ...cloudHypervisor.defaults, onTimeout: 'ignore' })),
    vm7799,
    10_000,
  );
  expect(end?.verdict.decision).toBe('stop');
  expect(end && remainingNs(end.at) / (300 * MS)).toBeCloseTo(9.76, 1);
});

test('the timeout is not looked at when the estimate is low enough', () => {
  const late = afterRounds([900], { pendingBytes: MiB, elapsedNs: 4000 * SECOND });
  expect(decided(cloudHypervisor.rule(cloudHypervisor.defaults))(late)).toEqual({
    decision: 'stop',
    reason: 'estimated downtime 10 ms, limit 300 ms',
  });
});

test('an estimate equal to the limit will do', () => {
  const at = afterRounds([900], { pendingBytes: 30 * MiB, bandwidthBytesPerSecond: 100 * MiB });
  expect(decided(cloudHypervisor.rule(cloudHypervisor.defaults))(at)?.decision).toBe('stop');
});

test('it is silent within a round, even past the timeout', () => {
  const rule = decided(cloudHypervisor.rule(cloudHypervisor.defaults));
  expect(rule(progress({ pendingBytes: 0, elapsedNs: 4000 * SECOND }))).toBeUndefined();
});
