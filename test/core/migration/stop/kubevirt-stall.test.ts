import { expect, test } from 'vitest';
import { kubevirtStall } from '../../../../src/core/migration/stop/kubevirt-stall.ts';
import type { Verdict } from '../../../../src/core/migration/stop/stop-rule.ts';
import { constantRate, decided, GiB, MS, progress, run, SECOND, saturating } from './progress.ts';

const BANDWIDTH = 100e6;
const rule = () => decided(kubevirtStall.rule(kubevirtStall.defaults));

interface RoundEnd {
  readonly second: number;
  readonly leftMs: number;
  readonly bandwidth?: number;
}

/**
 * At each of these round ends so much is left, in milliseconds at `BANDWIDTH`; what did the rule say to
 * each?
 */
function verdicts(ends: readonly RoundEnd[], ask = rule()): (Verdict | undefined)[] {
  return ends.map(({ second, leftMs, bandwidth = BANDWIDTH }) =>
    ask(
      progress({
        roundEnded: true,
        elapsedNs: second * SECOND,
        pendingBytes: (BANDWIDTH * leftMs) / 1e3,
        bandwidthBytesPerSecond: bandwidth,
      }),
    ),
  );
}

test('until a stall it is QEMU’s rule at 300 ms', () => {
  const at = (leftMs: number) => progress({ pendingBytes: leftMs * 1e5, bandwidthBytesPerSecond: BANDWIDTH });
  expect(rule()(at(301))).toBeUndefined();
  expect(rule()(at(299))?.decision).toBe('stop');
});

test('a smaller downtime allowed is the limit from the start', () => {
  const strict = decided(kubevirtStall.rule({ ...kubevirtStall.defaults, limitNs: 100 * MS }));
  const at = (leftMs: number) => progress({ pendingBytes: leftMs * 1e5, bandwidthBytesPerSecond: BANDWIDTH });
  expect(strict(at(101))).toBeUndefined();
  expect(strict(at(99))?.decision).toBe('stop');
});

test('stalled at 800 ms it stops, for 900 ms are allowed', () => {
  const [before, stalled] = verdicts([
    { second: 10, leftMs: 800 },
    { second: 50, leftMs: 800 },
  ]);
  expect(before).toBeUndefined();
  expect(stalled).toEqual({ decision: 'stop', reason: '800 ms left, limit 900 ms' });
});

test('stalled it waits for the trough of the swing', () => {
  const said = verdicts([
    { second: 10, leftMs: 700 },
    { second: 50, leftMs: 880 },
    { second: 60, leftMs: 740 },
    { second: 70, leftMs: 725 },
  ]);
  expect(said.map((verdict) => verdict?.decision)).toEqual([undefined, undefined, undefined, 'stop']);
});

test('more than 1.5 × 900 ms from the end it gives up', () => {
  const [, stalled] = verdicts([
    { second: 10, leftMs: 1360 },
    { second: 50, leftMs: 1360 },
  ]);
  expect(stalled).toEqual({ decision: 'give up', reason: 'stalled 1.36 s from the end' });
});

test('between 900 ms and 1.5 times that it has a minute to be lucky', () => {
  const stalled = [
    { second: 10, leftMs: 1340 },
    { second: 50, leftMs: 1340 },
  ];
  const lucky = verdicts([...stalled, { second: 109, leftMs: 901 }, { second: 110, leftMs: 899 }]);
  expect(lucky.map((verdict) => verdict?.decision)).toEqual([undefined, undefined, undefined, 'stop']);
  const unlucky = verdicts([...stalled, { second: 110, leftMs: 1340 }, { second: 111, leftMs: 1340 }]);
  expect(unlucky[2]).toBeUndefined();
  expect(unlucky[3]).toEqual({
    decision: 'give up',
    reason: 'no stop within 60 s of the stall, stop.switchover',
  });
});

test('one slow sample weighs 0.4: 900 ms at 0.6 + 0.4 × 0.1 of the bandwidth are 1406, too many', () => {
  const [, stalled] = verdicts([
    { second: 10, leftMs: 900 },
    { second: 50, leftMs: 900, bandwidth: BANDWIDTH / 10 },
  ]);
  expect(stalled).toEqual({ decision: 'give up', reason: 'stalled 1.41 s from the end' });
});

test('the bandwidth is sampled every 400 ms, not whenever the rule is asked', () => {
  const asked = rule();
  const before = verdicts([{ second: 10, leftMs: 900 }], asked);
  const between = [10.1, 10.2, 10.3].map((second) => ({ second, leftMs: 900, bandwidth: BANDWIDTH / 10 }));
  const after = verdicts([...between, { second: 50, leftMs: 870 }], asked);
  expect([...before, ...after.slice(0, 3)]).toEqual([undefined, undefined, undefined, undefined]);
  expect(after[3]).toEqual({ decision: 'stop', reason: '870 ms left, limit 900 ms' });
});

test('moments at which nothing is being sent are not samples', () => {
  const said = verdicts([
    { second: 10, leftMs: 1050 },
    { second: 30, leftMs: 1050, bandwidth: 0 },
    { second: 50, leftMs: 1050 },
  ]);
  expect(said).toEqual([undefined, undefined, undefined]);
});

test('the first 400 ms, a burst perhaps, are too early for a sample', () => {
  const said = verdicts([
    { second: 0.3, leftMs: 5000, bandwidth: 10 * BANDWIDTH },
    { second: 10, leftMs: 1360 },
    { second: 50, leftMs: 1360 },
  ]);
  expect(said[2]).toEqual({ decision: 'give up', reason: 'stalled 1.36 s from the end' });
});

test('without any bandwidth yet nothing can be implied, and no stall is looked for', () => {
  const said = verdicts([
    { second: 10, leftMs: 800, bandwidth: 0 },
    { second: 50, leftMs: 800, bandwidth: 0 },
    { second: 60, leftMs: 800 },
  ]);
  expect(said).toEqual([undefined, undefined, undefined]);
});

test('a guest with a working set of 80 MB is stopped 40 s after its rounds stopped shrinking', () => {
  const busy = {
    guestBytes: 4 * GiB,
    bandwidthBytesPerSecond: BANDWIDTH,
    dirtiedBytes: saturating(1e9, 80e6),
  };
  const end = run(rule(), busy);
  expect(end?.verdict).toEqual({ decision: 'stop', reason: '800 ms left, limit 900 ms' });
  const bulkCopySeconds = (4 * GiB) / BANDWIDTH;
  expect((end?.at.elapsedNs ?? 0) / SECOND - bulkCopySeconds).toBeGreaterThan(40);
  expect((end?.at.elapsedNs ?? 0) / SECOND - bulkCopySeconds).toBeLessThan(42);
});

test('a guest that the link outruns reaches 300 ms before any stall is seen', () => {
  const calm = {
    guestBytes: 4 * GiB,
    bandwidthBytesPerSecond: BANDWIDTH,
    dirtiedBytes: constantRate(BANDWIDTH / 2),
  };
  const { reason = '' } = run(rule(), calm)?.verdict ?? {};
  expect(reason).toContain('limit 300 ms');
});
