import { shown, UsageError } from '../platform/problem.ts';
import type { Setting } from '../scenario/settings.ts';

/** What the flags of a command change in a scenario. @throws UsageError a count that is none. */
export function settingsOf(options: {
  readonly set: readonly Setting[];
  readonly runs?: string;
  readonly seed?: string;
}): readonly Setting[] {
  return [
    ...options.set,
    ...(options.runs === undefined ? [] : [{ path: 'runs', value: whole('--runs', options.runs) }]),
    ...(options.seed === undefined ? [] : [{ path: 'seed', value: whole('--seed', options.seed) }]),
  ];
}

function whole(flag: string, text: string): number {
  if (!/^\d+$/.test(text))
    throw new UsageError([{ path: flag, expected: 'a whole number', found: shown(text) }]);
  return Number(text);
}
