import { formatDuration, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { Dirtied, Observation, Sample } from './observation.ts';

export type Outcome = 'completed' | 'failed' | 'cancelled' | 'unfinished' | 'unknown';

/** A part of a migration in which its status stayed as it was. */
export interface Phase {
  readonly name: string;
  readonly fromNs: Nanos;
  readonly toNs: Nanos;
}

/** What happened, as far as it was told. */
export interface Happened {
  readonly outcome: Outcome;
  readonly totalNs: Nanos | null;
  readonly downtimeNs: Nanos | null;
  readonly syncs: number | null;
  /** Why it ended, or did not, in a sentence. */
  readonly reason: string;
  readonly phases: readonly Phase[];
  /** The first instant at which the guest was throttled, and the most that was taken from it. */
  readonly throttled: { readonly fromNs: Nanos; readonly mostPercent: number } | null;
  /** From when on rounds no longer shrank; null: they always did, or that is not known. */
  readonly stalledFromNs: Nanos | null;
  /** From when on the guest wrote much less than before, in rounds that had not shrunk; null: it did not. */
  readonly calmFromNs: Nanos | null;
}

export function happenedIn({ samples, dirtied, reason }: Observation): Happened {
  const last = samples.at(-1);
  const outcome = outcomeOf(samples);
  const throttled = throttledIn(samples);
  const looks = dirtied.filter(({ atNs }) => atNs !== null);
  const stalledFromNs = stalledFrom(looks);
  const calmFromNs = stalledFromNs === null || throttled ? null : calmFrom(looks);
  const phases = phasesOf(samples);
  return {
    outcome,
    totalNs: last?.atNs ?? null,
    downtimeNs: samples.findLast(({ downtimeNs }) => downtimeNs !== null)?.downtimeNs ?? null,
    syncs: samples.findLast(({ syncs }) => syncs !== null)?.syncs ?? null,
    reason:
      reason ??
      reasonOf(outcome, { samples, looks: looks.length, throttled, stalledFromNs, calmFromNs, phases }),
    phases,
    throttled,
    stalledFromNs,
    calmFromNs,
  };
}

function outcomeOf(samples: readonly Sample[]): Outcome {
  const status = samples.findLast((sample) => sample.status !== null)?.status;
  if (status === 'completed' || status === 'failed') return status;
  if (status === 'cancelled' || status === 'cancelling') return 'cancelled';
  return samples.length > 0 ? 'unfinished' : 'unknown';
}

function phasesOf(samples: readonly Sample[]): readonly Phase[] {
  const phases: { name: string; fromNs: Nanos; toNs: Nanos }[] = [];
  for (const { status, atNs } of samples) {
    const current = phases.at(-1);
    if (current) current.toNs = atNs;
    if (status !== null && status !== current?.name) phases.push({ name: status, fromNs: atNs, toNs: atNs });
  }
  return phases;
}

function throttledIn(samples: readonly Sample[]): Happened['throttled'] {
  const first = samples.find(({ throttlePercent }) => (throttlePercent ?? 0) > 0);
  if (!first) return null;
  const mostPercent = samples.reduce((most, { throttlePercent }) => Math.max(most, throttlePercent ?? 0), 0);
  return { fromNs: first.atNs, mostPercent };
}

/** Of fewer nothing is said. */
const FEWEST_LOOKS = 2;
/** So many looks on end that find as much as those before them are a stall. */
const LOOKS_OF_STALL = 10;
const AS_MUCH = 0.8;

/** The first of two rows of looks of which the second finds, in the median, nearly as much as the first. */
function stalledFrom(dirtied: readonly Dirtied[]): Nanos | null {
  for (let start = 0; start + 2 * LOOKS_OF_STALL <= dirtied.length; start++) {
    const [before, after] = [0, LOOKS_OF_STALL].map((offset) =>
      medianPages(dirtied.slice(start + offset, start + offset + LOOKS_OF_STALL)),
    );
    if (after! >= AS_MUCH * before!) return dirtied[start]!.atNs;
  }
  return null;
}

function medianPages(dirtied: readonly Dirtied[]): number {
  return dirtied.map(({ pages }) => pages.high).sort((one, other) => one - other)[dirtied.length >>> 1]!;
}

/** Looks at the end that find less than this part of what was usual say that the load has ended. */
const MUCH_LESS = 0.7;
const USUAL_LOOKS = 2 * LOOKS_OF_STALL;

/** By rates, because the exposures differ; a shorter one has the larger rate. */
function calmFrom(looks: readonly Dirtied[]): Nanos | null {
  const rates = looks.map(({ pages, exposureNs }) => (pages.high * NANOS_PER_SECOND) / exposureNs);
  const usual = rates.slice(-USUAL_LOOKS).sort((one, other) => one - other)[USUAL_LOOKS >>> 1] ?? 0;
  const lastUsual = rates.findLastIndex((rate) => rate >= MUCH_LESS * usual);
  return looks[lastUsual + 1]?.atNs ?? null;
}

function reasonOf(
  outcome: Outcome,
  {
    samples,
    looks,
    throttled,
    stalledFromNs,
    calmFromNs,
    phases,
  }: Pick<Observation, 'samples'> &
    Omit<Happened, 'outcome' | 'totalNs' | 'downtimeNs' | 'syncs' | 'reason'> & { readonly looks: number },
): string {
  const postcopy = phases.find(({ name }) => name.startsWith('postcopy'));
  if (postcopy) return `it switched to post-copy at ${formatDuration(postcopy.fromNs)}`;
  const stalled =
    stalledFromNs === null ? undefined : `rounds did not shrink from ${formatDuration(stalledFromNs)} on`;
  const throttle =
    throttled &&
    `auto-converge throttled the guest from ${formatDuration(throttled.fromNs)} on, by up to ${throttled.mostPercent} %`;
  switch (outcome) {
    case 'completed':
      if (throttle) return `${throttle}, until the downtime limit allowed the stop`;
      if (looks < FEWEST_LOOKS) return 'the log does not say how its rounds went';
      if (stalled === undefined) return 'each round left less, until the downtime limit allowed the stop';
      return calmFromNs === null
        ? `${stalled}; it ended at a look that found little, by chance or because the load ended just then`
        : `${stalled}; it ended because the guest wrote less from ${formatDuration(calmFromNs)} on`;
    case 'unfinished':
      return [stalled ?? 'the log ends before the migration does', throttle || []].flat().join('; ');
    case 'unknown':
      return 'no migration is told of';
    default: {
      const how = outcome === 'failed' ? 'it failed' : 'it was cancelled';
      return `${how}${stalled === undefined ? '' : `: ${stalled}`}${samples.length > 0 ? '; the log does not say why' : ''}`;
    }
  }
}
