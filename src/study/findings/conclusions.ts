import { CHANGED_ON_ITS_WAY } from '../../core/migration/migration-result.ts';
import { type Comparison, paired } from '../statistics/comparison.ts';
import { grouped } from '../statistics/grouped.ts';
import { sumOf } from '../statistics/sum.ts';
import { stressFile, stressLines } from '../stress/stress-file.ts';
import { figure } from '../tables/figure.ts';
import type { ReportCell } from './cells.ts';
import type { Collection } from './collection.ts';

/** The fewest runs that give an interval of the median. */
const FEWEST_RUNS = 6;

/** What can be concluded from the records, and what cannot. */
export function conclusions(collection: Collection) {
  const { cells, stress } = collection;
  const file = stressFile(stress);
  const worlds = [...new Set(cells.map(({ world }) => world))];
  return {
    can: [
      ...(file ? stressLines(file) : []),
      ...worlds.flatMap((world) => {
        const own = cells.filter((cell) => cell.world === world);
        const where = worlds.length > 1 ? ` in ${world}` : '';
        return [...bestOf(own, where), ...shortestAlike(own, where)];
      }),
      ...modelLines(cells),
      ...worldLines(cells),
    ],
    cannot: [...uncertain(cells), ...noise(cells), ...collection.notes],
  };
}

/** The shortest downtime, the cells that cannot be distinguished from it, and those that are certainly longer. */
function bestOf(cells: readonly ReportCell[], where: string): string[] {
  const certain = cells.filter(({ downtimeMs }) => downtimeMs?.confident);
  if (certain.length < 2) return [];
  const best = certain.reduce((a, b) => (b.downtimeMs!.median < a.downtimeMs!.median ? b : a));
  const worst = certain.reduce((a, b) => (b.downtimeMs!.median > a.downtimeMs!.median ? b : a));
  const others = certain.filter((cell) => cell !== best);
  const comparisons = new Map(others.map((cell) => [cell, pairedWith(best, cell)]));
  const isLonger = (cell: ReportCell) => comparisons.get(cell)?.certain ?? isBelow(best, cell);
  const longer = others.filter(isLonger);
  const byPairs = longer.filter((cell) => !isBelow(best, cell));
  const alike = others.filter((cell) => !isLonger(cell));
  return [
    `The shortest median downtime${where} is that of cell ${best.number} (${best.label}): ${interval(best)}.`,
    ...ofCells(
      longer,
      () =>
        `${longer.length} of the ${others.length} others are certainly longer. The longest is that of cell ${worst.number} (${worst.label}): ${interval(worst)}.`,
    ),
    ...byPairs.slice(0, MOST_PAIRED).map((cell) => {
      const { value, low, high, count } = comparisons.get(cell)!.difference;
      return `Cell ${cell.number} (${cell.label}) is longer than cell ${best.number}, though the intervals overlap: by ${figure(value)} ms [${figure(low)}–${figure(high)}], the median of ${count} pairs of runs with the same seed.`;
    }),
    ...ofCells(alike, (them) => `Cannot be distinguished from cell ${best.number}${where}: ${them}.`),
  ];
}

/** Of cells that nothing random is in, figures are exact. */
function shortestAlike(cells: readonly ReportCell[], where: string): string[] {
  const alike = cells.filter((cell) => cell.alike);
  if (alike.length < 2) return [];
  const best = alike.reduce((a, b) => (b.downtimeMs!.median < a.downtimeMs!.median ? b : a));
  return [
    `Of ${listed(alike)}${where}, whose runs do not differ, the shortest downtime is that of cell ${best.number} (${best.label}): ${figure(best.downtimeMs!.median)} ms.`,
  ];
}

/** The others are in the table. */
const MOST_PAIRED = 5;

/** Pairs of runs with the same seed. `undefined`: too few of them for an interval. */
function pairedWith(base: ReportCell, alternative: ReportCell): Comparison | undefined {
  const downtimeMs = new Map(base.completed.map(({ seed, downtimeNs }) => [seed, downtimeNs / 1e6]));
  const common = alternative.completed.filter(({ seed }) => downtimeMs.has(seed));
  const comparison = paired(
    common.map(({ seed }) => downtimeMs.get(seed)!),
    common.map(({ downtimeNs }) => downtimeNs / 1e6),
    base.alike && alternative.alike,
  );
  return comparison?.difference.confident ? comparison : undefined;
}

function modelLines(cells: readonly ReportCell[]): string[] {
  const both = cells.filter(
    ({ predictedMs, downtimeMs }) => predictedMs !== undefined && downtimeMs?.confident,
  );
  if (both.length === 0) return [];
  const off = both.filter(
    ({ predictedMs, downtimeMs }) => predictedMs! < downtimeMs!.low || predictedMs! > downtimeMs!.high,
  );
  if (off.length === 0) return [`The model's downtime lies in the interval in all ${both.length} cells.`];
  const distance = ({ predictedMs, downtimeMs }: ReportCell) => Math.abs(predictedMs! - downtimeMs!.median);
  const worst = off.reduce((a, b) => (distance(b) > distance(a) ? b : a));
  return [
    `The model's downtime lies outside the interval in ${off.length} of ${both.length} cells; farthest in cell ${worst.number} (${worst.label}): ${figure(worst.predictedMs!)} ms predicted, ${interval(worst)}${percent(worst.predictedMs! / worst.downtimeMs!.median - 1)}.`,
  ];
}

/** `, +12 %`; nothing for a median of 0. */
function percent(share: number): string {
  if (!Number.isFinite(share)) return '';
  return `, ${share > 0 ? '+' : '−'}${figure(100 * Math.abs(share))} %`;
}

/** The same settings in two worlds. */
function worldLines(cells: readonly ReportCell[]): string[] {
  const certain = cells.filter(({ downtimeMs }) => downtimeMs?.confident);
  return [...grouped(certain, ({ values }) => JSON.stringify(values)).values()].flatMap(([one, other]) => {
    if (!one || !other || one.world === other.world || !(isBelow(one, other) || isBelow(other, one)))
      return [];
    return [
      `The worlds disagree on cells ${one.number} and ${other.number}: ${one.world} ${interval(one)}, ${other.world} ${interval(other)}.`,
    ];
  });
}

/** Whether the whole interval of one lies below that of the other. */
function isBelow(one: ReportCell, other: ReportCell): boolean {
  return one.downtimeMs!.high < other.downtimeMs!.low;
}

function uncertain(cells: readonly ReportCell[]): string[] {
  const few = cells.filter(({ completed, alike }) => completed.length < FEWEST_RUNS && !alike);
  const changed = cells.filter(({ runs }) => runs.some(({ isChanged }) => isChanged));
  const incomplete = cells.filter(({ runs, completed }) => completed.length < runs.length);
  const alike = cells.filter((cell) => cell.alike);
  const noTail = cells.filter(
    ({ completed, alike }) => completed.length < 72 && completed.length >= FEWEST_RUNS && !alike,
  );
  return [
    ...ofCells(changed, (them) => `In ${them} ${CHANGED_ON_ITS_WAY}. Such runs count as failed.`),
    ...ofCells(
      few,
      (them) =>
        `Fewer than ${FEWEST_RUNS} completed runs give no 95 % interval, so nothing can be concluded from ${them}: run more repetitions.`,
    ),
    ...ofCells(
      alike,
      (them) =>
        `All runs of ${them} are equal, because nothing in them is random. They count as one run, and have no interval.`,
    ),
    ...ofCells(
      incomplete,
      (them) => `Not every migration completed in ${them}; their figures cover only those that did.`,
    ),
    ...ofCells(
      noTail,
      () =>
        'A 95 % quantile needs 72 runs for an upper bound. With fewer, its true value may exceed everything that was measured.',
    ),
  ];
}

function noise(cells: readonly ReportCell[]): string[] {
  const noisy = cells.filter(({ runs }) => {
    const missed = sumOf(runs, 'missedPeriods');
    return missed > 0 && sumOf(runs, 'missedByMachine') > missed / 2;
  });
  return ofCells(
    noisy,
    (them) =>
      `In ${them} the machine itself did not run in more than half of the missed periods. They are noise, not an effect of the settings.`,
  );
}

/** A sentence about these cells, if there are any. */
function ofCells(cells: readonly ReportCell[], sentence: (them: string) => string): string[] {
  return cells.length === 0 ? [] : [sentence(listed(cells))];
}

/** `downtime 112 ms [104–131]` */
function interval({ downtimeMs }: ReportCell): string {
  const { median, low, high } = downtimeMs!;
  return `${figure(median)} ms [${figure(low)}–${figure(high)}]`;
}

function listed(cells: readonly ReportCell[]): string {
  const numbers = cells.slice(0, 12).map(({ number }) => number);
  const more = cells.length > 12 ? ` and ${cells.length - 12} more` : '';
  return `${cells.length === 1 ? 'cell' : 'cells'} ${numbers.join(', ')}${more}`;
}
