import type { Bytes } from '../../core/units.ts';
import type { Sample } from './observation.ts';

/** What a log of a migration does not say, in words. */
export function gapsIn(samples: readonly Sample[]): readonly string[] {
  const [first] = samples;
  if (!first) return [];
  return [
    samples.some(({ leftBytes }) => leftBytes !== null) ? [] : 'what was left: this log does not tell it',
    (first.syncs ?? 0) > 1 ? `its first rounds: the log begins at dirty sync ${first.syncs}` : [],
  ].flat();
}

/** More cannot be left than there is: who says so has another unit, or is damaged. */
export function withoutImpossible(
  samples: readonly Sample[],
  totalBytes: Bytes | null,
): { readonly samples: readonly Sample[]; readonly missing: readonly string[] } {
  if (totalBytes === null) return { samples, missing: [] };
  const isPossible = ({ leftBytes }: Sample) => leftBytes === null || leftBytes <= totalBytes;
  const impossible = samples.filter((sample) => !isPossible(sample)).length;
  if (impossible === 0) return { samples, missing: [] };
  return {
    samples: samples.map((sample) => (isPossible(sample) ? sample : { ...sample, leftBytes: null })),
    missing: [`what was left in ${impossible} samples: more than the guest has`],
  };
}
