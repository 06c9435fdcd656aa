import { describe, expect, test } from 'vitest';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import { predict } from '../../../src/run/predict.ts';
import type { MigrationSpec } from '../../../src/workload/migration-spec.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const MS = 1e6;
const LATENCY_NS = 25 * MS;

function specOf(verify: 'checksums' | 'full', linkLatencyNs: number, seed = 7, idle = false): MigrationSpec {
  const program = { kind: 'classes', classes: [{ pages: 800, writesPerSecond: 0 }] } as const;
  const { guest, plan, cpu } = smallSetup({
    guest: idle ? { program } : {},
    plan: { verify, observeNs: 0, stop: { rule: 'rounds', rounds: 3 } },
  });
  return { guest: { ...guest, seed }, plan: { ...plan, seed }, cpu, linkLatencyNs };
}

describe('a link in virtual time on which a byte is 25 ms on its way', () => {
  test.each([
    ['checksums', 3],
    ['full', 5],
  ] as const)('verify %s: the guest runs %i latencies after its last page has left', (verify, ways) => {
    const { downtimeNs, downtimeParts, link } = migrateVirtually(specOf(verify, LATENCY_NS));
    expect(downtimeNs - downtimeParts.memoryNs).toBe(ways * LATENCY_NS);
    expect(link.roundTripNs).toBe(2 * LATENCY_NS);
  });

  test('ends each round a round trip after its last page has left, and the guest writes meanwhile', () => {
    const [near, far] = [0, LATENCY_NS].map((latencyNs) => migrateVirtually(specOf('checksums', latencyNs)));
    expect(far!.rounds[0]!.durationNs - near!.rounds[0]!.durationNs).toBe(2 * LATENCY_NS);
    expect(far!.rounds[1]!.dirtyPages).toBeGreaterThan(near!.rounds[1]!.dirtyPages);
    const idle = [0, LATENCY_NS].map((latencyNs) =>
      migrateVirtually(specOf('checksums', latencyNs, 7, true)),
    );
    const waitedNs = (2 * idle[1]!.rounds.length + 3) * LATENCY_NS;
    // While the answer is on its way the bucket fills.
    const { depthBytes, rateBytesPerSecond } = specOf('checksums', 0).plan;
    const savedNs = (depthBytes / rateBytesPerSecond!) * 1e9;
    const longerNs = idle[1]!.totalNs - idle[0]!.totalNs;
    expect(longerNs).toBeLessThanOrEqual(waitedNs);
    expect(longerNs).toBeGreaterThan(waitedNs - idle[1]!.rounds.length * savedNs);
  });

  test('lengthens the model’s downtime as much, for every b_d; what it leaves out is named', () => {
    const prediction = predict(specOf('checksums', LATENCY_NS));
    const { downtimeNs } = predict(specOf('checksums', 0)).course;
    expect(prediction.course.downtimeNs).toBeCloseTo(downtimeNs! + 3 * LATENCY_NS, 0);
    expect(prediction.requiredStopRateBytesPerSecond(2.9 * LATENCY_NS, 0.5)).toBeNull();
    expect(prediction.whyNoStopRate(2.9 * LATENCY_NS, 0.5)).toContain('link.latency');
    expect(prediction.leftOut).toContainEqual(expect.stringContaining('link.latency'));
    expect(predict(specOf('checksums', 0)).leftOut).toEqual([]);
  });
});
