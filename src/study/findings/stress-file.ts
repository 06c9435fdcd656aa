import { z } from 'zod';
import { breakings } from '../stress/breaking.ts';
import { isMissed, verdicts } from '../stress/threshold.ts';

/** What `switchover stress` leaves beside its records. Infinite bounds are null in JSON. */
const text = z.string().max(2_000);
const bound = z.number().nullable();
const stressFileSchema = z.object({
  ramp: text,
  levels: z.array(text).min(1),
  thresholds: z.array(z.object({ text, metric: text, limit: z.number() })),
  results: z.array(
    z.object({
      level: z.number(),
      alternative: text,
      runs: z.number(),
      verdict: z.enum(verdicts),
      judgements: z.array(
        z.object({
          threshold: text,
          estimate: z.object({ value: bound, low: bound, high: bound }),
          limit: z.number(),
          verdict: z.enum(verdicts),
        }),
      ),
    }),
  ),
});

export type StressFile = z.infer<typeof stressFileSchema>;

/** `undefined`: there is none, or none that can be read. */
export function stressFile(content: unknown): StressFile | undefined {
  const parsed = stressFileSchema.safeParse(content);
  return parsed.success ? parsed.data : undefined;
}

/** Where each alternative breaks: a sentence each. */
export function stressLines({ ramp, levels, results }: StressFile): string[] {
  return breakings(results).map(({ alternative: name, lastKept, firstMissed }) => {
    const until = lastKept
      ? `kept every threshold up to ${ramp} = ${levels[lastKept.level]} (${lastKept.verdict})`
      : 'kept no level';
    if (!firstMissed) return `${name}: ${until}, the last one tried.`;
    const { level, judgements, verdict } = firstMissed;
    const which = judgements.filter((one) => isMissed(one.verdict)).map(({ threshold }) => threshold);
    return `${name}: ${until}; at ${levels[level]} it ${verdict} ${which.join(' and ')}.`;
  });
}
