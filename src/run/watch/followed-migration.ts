import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { dirtiedOf } from '../../observe/import/dirtied-of.ts';
import { nothingSet, type Observation, type Sample, type Told } from '../../observe/import/observation.ts';
import {
  measuredRate,
  type ObservedPrediction,
  predictObservation,
  type ToldBesides,
} from '../prediction/predict-observation.ts';

/** Samples between two syncs tell of rates only, for which QEMU's last seconds count. */
const RECENT_NS: Nanos = 10 * NANOS_PER_SECOND;
/** A sync leaves two samples; of a migration that makes more, the oldest but the first are dropped. */
const MOST_SAMPLES = 4_000;

/** What is said of a migration while it goes on. */
export interface Progress {
  /** Since it began. */
  readonly atNs: Nanos;
  readonly status: string;
  readonly leftBytes: number | null;
  readonly sentBytes: number | null;
  /** On the link, over the last seconds. */
  readonly rateBytesPerSecond: number | null;
  /** As QEMU says it, of the time between its last two syncs. */
  readonly dirtyBytesPerSecond: number | null;
  readonly syncs: number | null;
  readonly throttlePercent: number | null;
  /** QEMU's own. */
  readonly expectedDowntimeNs: Nanos | null;
  /** null: it is no pre-copy any more. */
  readonly predicted: ObservedPrediction | null;
}

/** A migration that goes on, from one look at it after another. */
export class FollowedMigration {
  #samples: Sample[] = [];
  #observation: Omit<Observation, 'samples' | 'dirtied'> = {
    parameters: nothingSet,
    downtimeParts: [],
    reason: null,
  };

  /** What `query-migrate` and the queries of its parameters have answered together. */
  look({ samples, parameters = {}, reason = null }: Told): void {
    this.#samples = withoutIdle([...this.#samples, ...samples]);
    const known = Object.entries(parameters).filter(([, value]) => value !== null);
    this.#observation = {
      ...this.#observation,
      parameters: { ...this.#observation.parameters, ...Object.fromEntries(known) },
      reason: reason ?? this.#observation.reason,
    };
  }

  /** undefined: nothing has been told yet. */
  get last(): Sample | undefined {
    return this.#samples.at(-1);
  }

  get observation(): Observation {
    const { parameters } = this.#observation;
    return {
      ...this.#observation,
      samples: this.#samples,
      dirtied: dirtiedOf(this.#samples, parameters.pageSizeBytes),
    };
  }

  /** How far it is, and what becomes of it under QEMU's rule. */
  progress(status: string, told: ToldBesides): Progress {
    const { parameters } = this.#observation;
    const { atNs, leftBytes, sentBytes, dirtyPagesPerSecond, ...last } = this.last!;
    return {
      atNs,
      status,
      leftBytes,
      sentBytes,
      rateBytesPerSecond: measuredRate(this.#samples) ?? null,
      dirtyBytesPerSecond:
        dirtyPagesPerSecond === null ? null : dirtyPagesPerSecond * parameters.pageSizeBytes,
      syncs: last.syncs,
      throttlePercent: last.throttlePercent,
      expectedDowntimeNs: last.expectedDowntimeNs,
      predicted: status.startsWith('postcopy') ? null : predictObservation(this.observation, told),
    };
  }
}

/** Without the samples that no other needs: neither the first, nor recent, nor beside a sync. */
function withoutIdle(samples: readonly Sample[]): Sample[] {
  const sinceNs = samples.at(-1)!.atNs - RECENT_NS;
  const kept = samples.filter(
    ({ atNs, syncs }, index) =>
      index === 0 ||
      atNs >= sinceNs ||
      syncs !== samples[index - 1]!.syncs ||
      syncs !== samples[index + 1]!.syncs,
  );
  return kept.length <= MOST_SAMPLES ? kept : [kept[0]!, ...kept.slice(1 - MOST_SAMPLES)];
}
