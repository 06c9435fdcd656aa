import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLogs } from '../../../src/observe/import/read-logs.ts';
import { knownAt } from '../../../src/run/prediction/known-at.ts';
import { predictObservation } from '../../../src/run/prediction/predict-observation.ts';
import { whatIfs } from '../../../src/run/prediction/what-ifs.ts';

const folder = resolve(import.meta.dirname, '../../fixtures/import');
const observed = (...files: string[]) => readLogs(files.map((file) => join(folder, file))).observation;
const stuck = observed('qemu-ycsb/Precopy_Nonconvergent_OnlyReads_16T/mig-stats-run-2.json.gz');

describe('what is known at a moment', () => {
  test('is nothing of later samples and looks', () => {
    const known = knownAt(stuck, { atNs: 30e9 })!;
    expect(known.samples.at(-1)!.atNs).toBeLessThanOrEqual(30e9);
    expect(known.dirtied).toHaveLength(1);
    expect(knownAt(stuck, { syncs: 2 })!.dirtied).toHaveLength(2);
  });

  test('is undefined where the log does not reach it', () => {
    expect(knownAt(stuck, { syncs: 1_000 })).toBeUndefined();
  });
});

describe('what is predicted', () => {
  test('before the first pass has ended is that nothing is known', () => {
    const { endsByItself, leftOut } = predictObservation(knownAt(stuck, { atNs: 12e9 })!, {});
    expect(endsByItself).toBeNull();
    expect(leftOut[0]).toMatch(/^nothing is known yet/);
  });

  test('of a migration that has ended is how it ended', () => {
    const { endsByItself, totalNs, within } = predictObservation(stuck, {});
    expect([endsByItself, totalNs!.p50, within!['60s']]).toEqual([1, 101.83e9, 0]);
  });

  test('a b_d that is told to QEMU ends what would not end, at the price of the downtime', () => {
    const known = knownAt(stuck, { syncs: 2 })!;
    const told = { stopRateBytesPerSecond: 2 ** 31 };
    const asItIs = predictObservation(known, told);
    expect(asItIs.endsByItself).toBeLessThan(0.05);
    const believed = whatIfs(known, told).find(({ change }) => change === 'b_d told to QEMU')!;
    expect(believed.endsByItself).toBeGreaterThan(0.95);
    expect(believed.downtimeNs!.p50).toBeGreaterThan(asItIs.downtimeNs!.p50);
    // Within QEMU's limit.
    expect(believed.downtimeNs!.p50).toBeLessThan(310e6);
  });

  test('without b_d it is said that the downtime is that at the bandwidth of the live rounds', () => {
    const { leftOut } = predictObservation(knownAt(stuck, { syncs: 2 })!, {});
    expect(leftOut.join()).toContain('b_d was not told');
  });

  test('a migration that has not begun is predicted from windows that were measured', () => {
    const windows = knownAt(observed('query-dirty-rate.ndjson'), {})!;
    const told = { memoryBytes: 2 ** 30, maxBandwidthBytesPerSecond: 2 ** 27 };
    const { endsByItself, totalNs } = predictObservation(windows, told);
    expect(endsByItself).toBeGreaterThan(0.5);
    // The first pass takes 8 s, and next to nothing if the memory holds zeros.
    expect(totalNs!.p90).toBeGreaterThan(8e9);
    expect(totalNs!.p10).toBeLessThan(8e9);
    expect(predictObservation(windows, {}).leftOut[0]).toBe('the size of the guest is not known');
  });
});
