import { isMissed, type Verdict } from './threshold.ts';

/** What one alternative came to at one level. */
interface Judged {
  readonly alternative: unknown;
  readonly verdict: Verdict;
}

/** Where an alternative breaks. */
export interface Breaking<Result extends Judged> {
  readonly alternative: Result['alternative'];
  /** The highest level up to which everything was kept; undefined: not even the first. */
  readonly lastKept: Result | undefined;
  /** undefined: it has not broken up to the last level that was tried. */
  readonly firstMissed: Result | undefined;
}

/** @param results level by level */
export function breakings<Result extends Judged>(results: readonly Result[]): readonly Breaking<Result>[] {
  const byAlternative = new Map<string, Result[]>();
  for (const result of results) {
    const key = JSON.stringify(result.alternative);
    byAlternative.set(key, [...(byAlternative.get(key) ?? []), result]);
  }
  return [...byAlternative.values()].map((own) => {
    const missed = own.findIndex(({ verdict }) => isMissed(verdict));
    return {
      alternative: own[0]!.alternative,
      lastKept: own[(missed < 0 ? own.length : missed) - 1],
      firstMissed: own[missed],
    };
  });
}
