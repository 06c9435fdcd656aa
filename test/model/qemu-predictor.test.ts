import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../src/core/units.ts';
import { measuredCurve } from '../../src/model/curve.ts';
import { predictMigration } from '../../src/model/predictor.ts';

/** A. Gudkov, "migration: calculate expected migration time", qemu-devel, April 2023: its input, its printed table. */
interface Golden {
  readonly pageSize: number;
  readonly headerBytesPerPage: number;
  readonly totalPages: number;
  readonly sampledPages: number;
  readonly zeroSampledPages: number;
  readonly periodsMs: readonly number[];
  readonly dirtySampledPages: readonly number[];
  readonly downtimeLimitsMs: readonly (number | null)[];
  readonly expectedTotalSecondsByMbps: Readonly<Record<string, readonly (number | null)[]>>;
}
const file = resolve(import.meta.dirname, '../fixtures/qemu-predictor.json');
const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;

const scale = golden.totalPages / golden.sampledPages;
const curve = measuredCurve(
  golden.periodsMs.map((ms, i) => ({
    periodNs: ms * NANOS_PER_MILLISECOND,
    pages: golden.dirtySampledPages[i]! * scale,
  })),
  (golden.sampledPages - golden.zeroSampledPages) * scale,
);

function predicted(mbps: number, limitMs: number | null) {
  const rate = (mbps * 2 ** 20) / 8;
  return predictMigration({
    pages: golden.totalPages,
    zeroPages: golden.zeroSampledPages * scale,
    pageSizeBytes: golden.pageSize,
    overheadBytes: golden.headerBytesPerPage,
    rateBytesPerSecond: rate,
    stopRateBytesPerSecond: rate,
    guest: { kind: 'curve', dirtyPages: curve, isRandom: true },
    stop: { rule: 'downtime', limitNs: (limitMs ?? Number.POSITIVE_INFINITY) * NANOS_PER_MILLISECOND },
    timeoutNs: 3600 * NANOS_PER_SECOND,
  }).course;
}

const cells = Object.entries(golden.expectedTotalSecondsByMbps).flatMap(([mbps, row]) =>
  row.map((seconds, i) => ({ mbps: Number(mbps), limitMs: golden.downtimeLimitsMs[i]!, seconds })),
);

test('the table has cells of both kinds', () => {
  expect(cells.length).toBeGreaterThanOrEqual(18);
  expect(cells.filter(({ seconds }) => seconds === null).length).toBeGreaterThanOrEqual(4);
});

test.each(
  cells,
)('QEMU predicts $seconds s at $mbps Mbit/s within $limitMs ms, and so does the model', (cell) => {
  const { converges, totalNs, downtimeNs } = predicted(cell.mbps, cell.limitMs);
  expect(converges).toBe(cell.seconds !== null);
  expect(totalNs === null ? null : Math.ceil(totalNs / NANOS_PER_SECOND)).toBe(cell.seconds);
  expect(downtimeNs ?? 0).toBeLessThanOrEqual(
    (cell.limitMs ?? Number.POSITIVE_INFINITY) * NANOS_PER_MILLISECOND,
  );
});

test('without a limit the first iteration is the stop', () => {
  const { rounds, roundPages, downtimeNs, totalNs } = predicted(5120, null);
  expect({ rounds, roundPages }).toEqual({ rounds: 0, roundPages: [] });
  expect(downtimeNs).toBe(totalNs);
});
