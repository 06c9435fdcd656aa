import { type Antagonist, isOfLink } from '../../core/antagonist.ts';
import { type Bottleneck, bottleneckOf } from '../../core/link/bottleneck.ts';
import { Random } from '../../core/random.ts';
import type { Nanos } from '../../core/units.ts';
import { Refusal } from '../../platform/failure.ts';
import type { MigrationSpec } from '../migration-spec.ts';

/** What disturbs a link in virtual time. */
export interface Disturbance {
  readonly bottleneck: Bottleneck | undefined;
  /** How much later a sender wakes that has slept, in the mean. */
  readonly latenessMeanNs: Nanos;
  readonly random: Random;
}

/** The stream of random numbers of antagonists, in every world. */
const ANTAGONIST_STREAM = 6;

/** `undefined`: nothing does. @throws Refusal an antagonist that virtual time does not support */
export function disturbanceOf(setup: MigrationSpec): Disturbance | undefined {
  const { antagonists = [] } = setup;
  if (antagonists.length === 0) return undefined;
  const real = antagonists.find(({ kind }) => kind === 'memory-hog' || kind === 'garbage');
  if (real) {
    throw new Refusal(
      `background: ${real.kind} is not supported in virtual time, which has neither memory nor a heap; use --world threads`,
    );
  }
  const random = Random.seeded(setup.guest.seed, ANTAGONIST_STREAM);
  const bottleneck = bottleneckFor(setup, random);
  return { bottleneck, latenessMeanNs: latenessMeanNs(antagonists), random };
}

/** The same one for the same seed in every world. */
export function bottleneckFor(
  { guest, antagonists = [], linkCapacityBytesPerSecond = Number.POSITIVE_INFINITY }: MigrationSpec,
  random = Random.seeded(guest.seed, ANTAGONIST_STREAM),
): Bottleneck | undefined {
  return bottleneckOf(antagonists.filter(isOfLink), linkCapacityBytesPerSecond, random);
}

export function latenessMeanNs(antagonists: readonly Antagonist[]): Nanos {
  return antagonists.reduce((sum, each) => sum + (each.kind === 'timer-noise' ? each.meanNs : 0), 0);
}
