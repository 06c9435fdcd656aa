import type { MigrationRecord } from '../../core/migration/record.ts';
import { formatDuration, parseDuration } from '../../core/units.ts';
import { fewestFor } from '../statistics/estimate.ts';
import { type MetricName, metricNames, metrics, type Part } from './stress-metrics.ts';
import { largest, quantileWithin, shareEstimate, type ThresholdEstimate } from './threshold-estimate.ts';

/** A limit that must be kept: `downtime p95 < 300ms`, `missedPeriods < 0.5%`, `outage max < 1s`. */
export interface Threshold {
  readonly text: string;
  readonly metric: MetricName;
  /** Of a time: which quantile of the runs, 1 being the largest. Of a share: none, it is counted over all. */
  readonly quantile: number | undefined;
  /** In ns, or from 0 to 1. */
  readonly limit: number;
}

/** `likely`: the figure is on that side of the limit, but its interval crosses it. */
export const verdicts = ['kept', 'likely kept', 'likely missed', 'missed'] as const;
export type Verdict = (typeof verdicts)[number];

/** The result for one threshold. */
export type Judgement = NonNullable<ReturnType<typeof judge>>;

const GRAMMAR = `a threshold: METRIC [median | p95 | max] < LIMIT, METRIC being one of ${metricNames.join(', ')}`;

/** @returns what was expected instead, if it is none */
export function parseThreshold(text: string): Threshold | { readonly expected: string } {
  const match = /^\s*(\w+)(?:\s+(median|max|p\d{1,2}(?:\.\d+)?))?\s*<\s*(\S.*?)\s*$/.exec(text);
  const metric = metricNames.find((name) => name === match?.[1]);
  if (!match || !metric) return { expected: GRAMMAR };
  const [, , figure, written = ''] = match;
  const { kind } = metrics[metric];
  if (kind === 'share' && figure !== undefined) {
    return { expected: `no ${figure}: ${metric} are counted over all runs` };
  }
  const limit = kind === 'share' ? parseShare(written) : parseDuration(written);
  if (limit === undefined || limit === 0) {
    const example = kind === 'share' ? 'a share such as 0.5%' : 'a time such as 300ms';
    return { expected: `${example} above 0 after <` };
  }
  const quantile = kind === 'share' ? undefined : quantileOf(figure);
  if (quantile === 0) return { expected: 'a quantile above p0' };
  return { text: text.trim(), metric, quantile, limit };
}

function parseShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text);
  const share = match ? Number(match[1]) / 100 : undefined;
  return share !== undefined && share <= 1 ? share : undefined;
}

function quantileOf(figure: string | undefined): number {
  if (figure === undefined || figure === 'median') return 0.5;
  return figure === 'max' ? 1 : Number((Number(figure.slice(1)) / 100).toPrecision(9));
}

/** `undefined`: the records do not have the figure of the threshold. */
export function judge(threshold: Threshold, records: readonly MigrationRecord[]) {
  const estimate = estimated(threshold, records);
  if (!estimate) return undefined;
  const { text, limit } = threshold;
  return { threshold: text, estimate, limit, verdict: verdictOf(estimate, limit) };
}

/** The figure that a threshold limits. `undefined`: the records do not have it. */
export function estimated(
  { metric, quantile }: Pick<Threshold, 'metric' | 'quantile'>,
  records: readonly MigrationRecord[],
): ThresholdEstimate | undefined {
  const values = records.map((record) => metrics[metric].of(record)).filter((value) => value !== undefined);
  if (values.length === 0) return undefined;
  if (quantile === undefined) return shareEstimate(values as Part[]);
  return quantile === 1 ? largest(values as number[]) : quantileWithin(values as number[], quantile);
}

function verdictOf({ value, low, high }: ThresholdEstimate, limit: number): Verdict {
  if (high < limit) return 'kept';
  if (low >= limit) return 'missed';
  return value < limit ? 'likely kept' : 'likely missed';
}

/** Whether it was missed, certainly or likely. */
export function isMissed(verdict: Verdict): boolean {
  return verdicts.indexOf(verdict) >= verdicts.indexOf('likely missed');
}

/** The worst of several; where nothing could be judged nothing was missed. */
export function worst(judgements: readonly Judgement[]): Verdict {
  return verdicts[Math.max(0, ...judgements.map(({ verdict }) => verdicts.indexOf(verdict)))]!;
}

/** How many runs the threshold needs, if there are too few. */
export function tooFew({ text, quantile }: Threshold, runs: number): string | undefined {
  if (quantile === undefined || quantile === 1) return undefined;
  const needed = fewestFor(quantile);
  return runs >= needed
    ? undefined
    : `${text}: ${runs} runs can show that it is missed but not that it is kept; that needs ${needed}`;
}

/** `112 ms [104–∞)`, `0.3 % [0.1–0.6 %]`. */
export function formatEstimate(
  { metric }: Pick<Threshold, 'metric'>,
  { value, low, high }: ThresholdEstimate,
): string {
  const isTime = metrics[metric].kind === 'time';
  const figure = (number: number) => (isTime ? formatDuration(number) : `${(100 * number).toPrecision(2)} %`);
  if (!Number.isFinite(value)) return 'never';
  if (low === high) return figure(value);
  return `${figure(value)} [${Number.isFinite(low) ? figure(low) : '0'}–${Number.isFinite(high) ? `${figure(high)}]` : '∞)'}`;
}
