import type { MigrationRecord } from '../../core/migration/record.ts';
import { grouped } from '../statistics/grouped.ts';

/** A text without its numbers. */
function kindOf(text: string): string {
  return text.replace(/\d+(\.\d+)?/g, '#');
}

/** Notes that differ only in their numbers are one: the last, and how often it was made. */
export function oneOfAKind(notes: readonly string[]): string[] {
  return [...grouped(notes, kindOf).values()].map((alike) => {
    const differ = new Set(alike).size > 1;
    return differ ? `${alike.at(-1)} (in one run; similar in ${alike.length - 1} others)` : alike[0]!;
  });
}

/** The seeds named of runs that ended alike. */
const NAMED_SEEDS = 5;

/** Why runs were not completed: one line for those whose reasons differ in numbers alone. */
export function notCompleted(records: readonly MigrationRecord[]): readonly string[] {
  const told = records.filter(({ outcome }) => outcome !== 'completed');
  const groups = grouped(told, ({ outcome, reason, owner }) => [outcome, owner, kindOf(reason)].join());
  return [...groups.values()].map((alike) => {
    const { outcome, reason, owner } = alike[0]!;
    const seeds = alike.slice(0, NAMED_SEEDS).map(({ seed }) => seed);
    const more = alike.length > NAMED_SEEDS ? `, … (${alike.length} runs)` : '';
    return `${alike.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}${more}: ${outcome}: ${reason} (owner: ${owner})`;
  });
}
