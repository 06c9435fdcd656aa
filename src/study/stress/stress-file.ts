import { z } from 'zod';
import { grouped } from '../statistics/grouped.ts';
import type { LevelResult } from './stress.ts';
import { metricNames } from './stress-metrics.ts';
import type { StressPlan } from './stress-plan.ts';
import { alternativeName, levelName, rampOf } from './stress-table.ts';
import { formatEstimate, isMissed, verdicts } from './threshold.ts';

const text = z.string().max(2_000);
/** JSON has no infinite numbers: where there is no bound, a file has null. */
const bound = (without: number) =>
  z
    .number()
    .nullable()
    .transform((value) => value ?? without);

/** `stress.json`: what `switchover stress` leaves beside its records. */
const stressFileSchema = z.object({
  ramp: text,
  levels: z.array(text).min(1),
  thresholds: z.array(z.object({ text, metric: z.enum(metricNames), limit: z.number() })),
  results: z.array(
    z.object({
      level: z.number(),
      alternative: text,
      runs: z.number(),
      verdict: z.enum(verdicts),
      judgements: z.array(
        z.object({
          threshold: text,
          estimate: z.object({ value: bound(Infinity), low: bound(-Infinity), high: bound(Infinity) }),
          limit: z.number(),
          verdict: z.enum(verdicts),
        }),
      ),
    }),
  ),
});

export type StressFile = z.infer<typeof stressFileSchema>;

/** @param content of the file; undefined: there is none @returns undefined: there is none, or it cannot be read */
export function stressFile(content: unknown): StressFile | undefined {
  return stressFileSchema.safeParse(content).data;
}

/** The contents of the file, to be written. */
export function stressFileOf(plan: StressPlan, results: readonly LevelResult[]): StressFile {
  return {
    ramp: rampOf(plan),
    levels: plan.levels.map((_, level) => levelName(plan, level)),
    thresholds: [...plan.thresholds],
    results: results.map(({ level, alternative, records, judgements, verdict }) => ({
      level,
      alternative: alternativeName(alternative),
      runs: records.length,
      judgements: [...judgements],
      verdict,
    })),
  };
}

/** One sentence for every alternative: the last level that it keeps, and the first at which it misses a threshold. */
export function stressLines({ ramp, levels, thresholds, results }: StressFile): string[] {
  return [...grouped(results, ({ alternative }) => alternative)].map(([name, own]) => {
    const missedAt = own.findIndex(({ verdict }) => isMissed(verdict));
    const missed = own[missedAt];
    const kept = own[(missed ? missedAt : own.length) - 1];
    const until = kept
      ? `keeps everything up to ${ramp} = ${levels[kept.level]} (${kept.verdict})`
      : 'misses a threshold at the first level';
    if (!missed) return `${name}: ${until}, the last level tried.`;
    const why = missed.judgements
      .filter(({ verdict }) => isMissed(verdict))
      .map(({ threshold, estimate }) => {
        const { metric } = thresholds.find((each) => each.text === threshold)!;
        return `${threshold}: ${formatEstimate({ metric }, estimate)}`;
      });
    return `${name}: ${until}; breaks at ${levels[missed.level]} (${missed.verdict}): ${why.join('; ')}.`;
  });
}
