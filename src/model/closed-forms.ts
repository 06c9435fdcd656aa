import {
  type Bytes,
  type BytesPerSecond,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
  type Nanos,
} from '../core/units.ts';

/** A guest that dirties memory it has not dirtied yet at a constant rate: what most published models assume. */
export interface GeometricGuest {
  readonly guestBytes: Bytes;
  readonly rateBytesPerSecond: BytesPerSecond;
  readonly dirtyBytesPerSecond: BytesPerSecond;
  /** A round never dirties more than that. */
  readonly workingSetBytes: Bytes;
  /** Stop when less is left than is sent in this time. */
  readonly limitNs: Nanos;
}

export interface ClosedForm {
  /** K: live rounds before the stop. */
  readonly rounds: number;
  readonly downtimeNs: Nanos;
  readonly totalNs: Nanos;
}

/**
 * With ρ = dirty rate / b, round 1 leaves r_1 = min(ρM, W) and every later one ρ times as much as the one before:
 *
 *   K = the least k with r_1·ρ^(k−1) < b·limit,   t_d = r_1·ρ^(K−1)/b,   t_tot = M/b + (r_1/b)·(1 − ρ^K)/(1 − ρ)
 *
 * Without a cap this is (M/b)(1 − ρ^(K+1))/(1 − ρ). null: never, because ρ ≥ 1. KubeVirt measured 69 iterations and
 * 112 s where it says 13 and 196 s (VEP 291): real guests write some pages again and again, and dirty ever fewer
 * new ones the longer a round lasts. It is here to be compared with, not to be relied on.
 */
export function geometricMigration(guest: GeometricGuest): ClosedForm | null {
  const ratio = guest.dirtyBytesPerSecond / guest.rateBytesPerSecond;
  const firstLeft = Math.min(ratio * guest.guestBytes, guest.workingSetBytes);
  const enough = (guest.rateBytesPerSecond * guest.limitNs) / NANOS_PER_SECOND;
  if (ratio >= 1 && firstLeft >= enough) return null;
  const shrinkings = firstLeft < enough ? 0 : Math.floor(Math.log(enough / firstLeft) / Math.log(ratio)) + 1;
  const left = firstLeft * ratio ** shrinkings;
  const afterFirst = ratio === 1 ? firstLeft : (firstLeft - ratio * left) / (1 - ratio);
  const duration = (bytes: Bytes): Nanos => (bytes * NANOS_PER_SECOND) / guest.rateBytesPerSecond;
  return {
    rounds: 1 + shrinkings,
    downtimeNs: duration(left),
    totalNs: duration(guest.guestBytes + afterFirst),
  };
}

/** Of SimGrid's bandwidth, what is left for data: its TCP model charges 5 % for headers and acknowledgements. */
const OVERHEAD = 1.05;
/** The working set that sg_vm_create_migratable assumes, as a share of the memory. */
const WORKING_SET = 0.9;
const MAX_DOWNTIME_NS = 30 * NANOS_PER_MILLISECOND;

/**
 * SimGrid 3.32's live-migration plugin (src/plugins/vm/VmLiveMigration.cpp) for a guest that computes all the time:
 * the dirty rate is the intensity times the *nominal* rate b, the data moves at b/1.05, so ρ = 1.05·intensity. What
 * a round dirties is capped at 90 % of the memory, which only matters in round 1 and above an intensity of 0.857.
 */
export function simGridMigration(
  guestBytes: Bytes,
  rateBytesPerSecond: BytesPerSecond,
  intensity: number,
): ClosedForm | null {
  return geometricMigration({
    guestBytes,
    rateBytesPerSecond: rateBytesPerSecond / OVERHEAD,
    dirtyBytesPerSecond: rateBytesPerSecond * intensity,
    workingSetBytes: WORKING_SET * guestBytes,
    limitNs: MAX_DOWNTIME_NS,
  });
}
