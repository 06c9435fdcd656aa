import type { CheckedPlan } from './planned-check.ts';

/** How far below its probability a bound may be that 200 seeds give. */
const SHORT_OF = 0.02;

/** What became of the plans, by what was planned for: a table in Markdown. */
export function plannedTable(rows: readonly CheckedPlan[]): string {
  const kinds = [...new Set(rows.map(kindOf))];
  const lines = kinds.map((kind) =>
    lineOf(
      kind,
      rows.filter((row) => kindOf(row) === kind),
    ),
  );
  return [
    '| guest | scenarios | planned | kept | missed when cut | processor time, median and most |',
    '|---|---|---|---|---|---|',
    ...lines,
    lineOf('all', rows),
  ].join('\n');
}

function kindOf({ name }: CheckedPlan): string {
  return name.split(' ')[0]!;
}

function lineOf(kind: string, rows: readonly CheckedPlan[]): string {
  const feasible = rows.filter(({ reason }) => reason === null);
  const seconds = rows.map(({ cpuSeconds }) => cpuSeconds).toSorted((one, other) => one - other);
  const times = [seconds[Math.floor(seconds.length / 2)]!, seconds.at(-1)!].map((one) => one.toFixed(0));
  const counts = [rows, feasible, feasible.filter(isKept), feasible.filter(isTight)].map(
    ({ length }) => length,
  );
  return `| ${[kind, ...counts, `${times[0]} s, ${times[1]} s`].join(' | ')} |`;
}

export function isKept({ clauses }: CheckedPlan): boolean {
  return clauses.every(({ atLeast, asked }) => atLeast >= asked - SHORT_OF);
}

/** Each reservation that a target decides about is missed with a tenth less. */
export function isTight({ cuts }: CheckedPlan): boolean {
  return cuts.every(({ isMissed, floor }) => isMissed || floor !== null);
}
