import { CHANGED_ON_ITS_WAY } from '../../core/migration/migration-result.ts';
import type { Setting } from '../../scenario/settings.ts';
import { sumOf } from '../statistics/sum.ts';
import { flow, shortened } from '../tables/cell-columns.ts';
import { figure } from '../tables/figure.ts';
import { oneOfAKind } from '../tables/notes.ts';
import {
  columnsWithin,
  leastWidth,
  leftOutNote,
  plainTable,
  type RankedColumn,
} from '../tables/plain-table.ts';
import type { LevelResult } from './stress.ts';
import type { StressPlan } from './stress-plan.ts';
import { formatEstimate, tooFew } from './threshold.ts';

interface Column extends RankedColumn {
  of(result: LevelResult): string;
}

/**
 * A row a level and alternative: every threshold's figure, its interval, and whether it was kept.
 * @param width columns of the terminal: the verdict and the first thresholds matter most; without it, everything is there
 */
export function stressTable(plan: StressPlan, results: readonly LevelResult[], width?: number): string {
  const { thresholds } = plan;
  const names = [...new Set(results.flatMap(({ alternative }) => alternative.map(({ path }) => path)))];
  const all: readonly Column[] = [
    { heading: 'runs', rank: thresholds.length + 2, of: ({ records }) => String(records.length) },
    ...thresholds.map((threshold, index) => ({
      heading: threshold.text,
      rank: index + 2,
      of({ judgements }: LevelResult) {
        const judged = judgements.find((judgement) => judgement.threshold === threshold.text);
        return judged ? formatEstimate(threshold, judged.estimate) : '–';
      },
    })),
    { heading: 'verdict', rank: 1, of: ({ verdict }) => verdict },
  ];
  const settings = shortened([rampOf(plan), ...names]);
  const headOf = (columns: readonly Column[]) => [...settings, ...columns.map(({ heading }) => heading)];
  const rowsOf = (columns: readonly Column[]) =>
    results.map((result) => [
      levelName(plan, result.level),
      ...names.map((name) => flow(result.alternative.find(({ path }) => path === name)?.value)),
      ...columns.map(({ of }) => of(result)),
    ]);
  const columns = columnsWithin(all, width, (some) => leastWidth(headOf(some), rowsOf(some)));
  return [
    plainTable(headOf(columns), rowsOf(columns), undefined, width),
    ...leftOutNote(all, columns),
    ...footnotes(plan, results),
  ].join('\n');
}

export function levelName({ levels }: StressPlan, level: number): string {
  return levels[level]!.settings.map(({ value }) => flow(value)).join(', ');
}

/** The path, or the joint paths, along which the intensity rises. */
export function rampOf({ levels }: StressPlan): string {
  return levels[0]!.settings.map(({ path }) => path).join(', ');
}

/** `scheduler cbs-hard, sender.reservation 5ms every 10ms`; what is none goes without saying. */
export function alternativeName(settings: readonly Setting[]): string {
  const names = shortened(settings.map(({ path }) => path));
  const words = settings.flatMap(({ value }, index) =>
    value === 'none' ? [] : [`${names[index]} ${flow(value)}`],
  );
  return words.join(', ') || 'the scenario';
}

function footnotes({ thresholds }: StressPlan, results: readonly LevelResult[]): string[] {
  const runs = Math.min(...results.map(({ records }) => records.length));
  const records = results.flatMap((result) => result.records);
  const servers = records.flatMap((record) => record.servers);
  const missedPeriods = sumOf(servers, 'missedPeriods');
  const missedByMachine = sumOf(servers, 'missedByMachine');
  return [
    'Figures with their 95 % intervals. likely: the figure is on that side of its limit, but the interval crosses it.',
    ...thresholds.flatMap((threshold) => tooFew(threshold, runs) ?? []),
    ...(missedByMachine > 0
      ? [
          `In ${missedByMachine} of ${missedPeriods} missed periods (${figure((100 * missedByMachine) / missedPeriods)} %) the machine itself did not run. They are noise, not an effect of the stress.`,
        ]
      : []),
    ...(changedIn(results) > 0 ? [`In ${changedIn(results)} of the runs ${CHANGED_ON_ITS_WAY}.`] : []),
    ...oneOfAKind(records.flatMap(({ notes }) => notes)),
  ];
}

/** In how many runs the guest was changed on its way. */
export function changedIn(results: readonly LevelResult[]): number {
  const records = results.flatMap((result) => result.records);
  return records.filter(({ verified }) => verified.continued === 'different').length;
}
