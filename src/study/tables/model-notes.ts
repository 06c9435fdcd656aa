import type { RunMetadata } from '../../core/migration/record.ts';
import { grouped } from '../statistics/grouped.ts';

/** A row of a table with a figure of the model. */
export interface PredictedRow {
  /** What tells the row from others. */
  readonly values: readonly string[];
  readonly predicted: RunMetadata['predicted'];
}

/** So many rows are named; of more, only how many there are. */
const NAMED_MAX = 4;

/** What the model's figures assume and leave out: one line for all rows of which the same is to be said. */
export function modelNotes(rows: readonly PredictedRow[]): readonly string[] {
  const told = rows.filter(({ predicted }) => predicted !== null);
  const groups = [...grouped(told, ({ predicted }) => caveats(predicted!))];
  if (groups.length === 0) return [];
  const [[all] = [''], ...others] = groups;
  if (others.length === 0) return [`model: expected downtime by the formulas${all}.`];
  return [
    'model: expected downtime by the formulas.',
    ...groups.flatMap(([said, alike]) => (said === '' ? [] : [`${named(alike, rows.length)}${said}.`])),
  ];
}

function caveats({ assumes = [], leftOut = [] }: NonNullable<RunMetadata['predicted']>): string {
  const assuming = assumes.length > 0 ? `; assuming: ${assumes.join('; ')}` : '';
  const without = leftOut.length > 0 ? `; left out: ${leftOut.join('; ')}` : '';
  return `${assuming}${without}`;
}

function named(alike: readonly PredictedRow[], all: number): string {
  if (alike.length > NAMED_MAX) return `model, in ${alike.length} of ${all} rows`;
  return `model (${alike.map(({ values }) => values.join(', ')).join(' | ')})`;
}
