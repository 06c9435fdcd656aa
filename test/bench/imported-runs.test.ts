import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judged, logsBelow, replayed } from '../../bench/imported-runs.ts';

/**
 * Twelve of the hundred migrations of a bachelor's thesis (test/fixtures/import/qemu-ycsb/README.md). The figures of the
 * model were set with these in view. `npm run bench:import FOLDER` judges others.
 */
const folder = resolve(import.meta.dirname, '../fixtures/import/qemu-ycsb');
const logs = logsBelow(folder).filter(({ scenario }) => /^(Precopy|Autoconverge)/.test(scenario));

test('the shipped part of the logs has pre-copy and auto-converge', () => {
  expect(logs).toHaveLength(8);
});

describe.each(logs)('$scenario, $file', ({ scenario, file }) => {
  test('from its second telling dirty sync, its end, total and downtime are predicted', () => {
    const { totalNs, withinMinute, totalRatio, downtimeRatio } = judged(scenario, file, 2)!;
    expect(withinMinute.isRight).toBe(true);
    // Those that end with their load say nothing of the total.
    if (totalNs <= 60e9) expect(Math.abs(totalRatio! - 1)).toBeLessThan(0.12);
    expect(downtimeRatio!).toBeGreaterThan(0.5);
    expect(downtimeRatio!).toBeLessThan(2);
  });

  test('the scenario that is written of it takes as long and sends as much, within a tenth', () => {
    const { totalRatio, bytesRatio } = replayed(file);
    expect(Math.abs(totalRatio - 1)).toBeLessThan(0.1);
    expect(Math.abs(bytesRatio - 1)).toBeLessThan(0.1);
  });
});
