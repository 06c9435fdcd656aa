import type { Nanos } from '../../core/units.ts';
import type { Observation, Sample } from '../../observe/import/observation.ts';

/** A moment of a migration: an instant, or once dirty pages were looked for so often; neither: its last sample. */
export interface Moment {
  readonly atNs?: Nanos | undefined;
  /** Looks that told something: the one that marks all pages at the start does not. */
  readonly syncs?: number | undefined;
}

/** @returns what was known at that moment; undefined: the log does not reach it, or begins after it */
export function knownAt(observation: Observation, moment: Moment): Observation | undefined {
  const { samples, dirtied } = observation;
  if (samples.length === 0 && moment.atNs === undefined && moment.syncs === undefined) return observation;
  const last = lastSample(samples, moment);
  if (last === undefined) return undefined;
  const known = samples.slice(0, last + 1);
  const untilNs = known.at(-1)!.atNs;
  return {
    ...observation,
    samples: known,
    dirtied: dirtied.filter(({ atNs }) => atNs === null || atNs <= untilNs),
  };
}

function lastSample(samples: readonly Sample[], { atNs, syncs }: Moment): number | undefined {
  const found =
    syncs !== undefined
      ? samples.findIndex((sample) => (sample.syncs ?? 0) > syncs)
      : samples.findLastIndex((sample) => sample.atNs <= (atNs ?? Number.POSITIVE_INFINITY));
  return found < 0 ? undefined : found;
}
