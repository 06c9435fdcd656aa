import type { DepartureRun } from '../../core/link/bucket.ts';
import type { Nanos } from '../../core/units.ts';
import type { ProgramClock } from '../../workload/program-clock.ts';

/**
 * Of pages whose dirty bits were cleared as they left in these runs, the share that nobody has written until `endNs`, each being
 * written as by Poisson at a rate λ in the program's own time P:
 *
 *   Σ_j exp(−λ·(P(end) − P(t_j))) / n
 *
 * Where the clock goes at one speed the terms are a geometric series.
 */
export function keptClean(
  runs: readonly DepartureRun[],
  writesPerNs: number,
  endNs: Nanos,
  clock: ProgramClock,
): number {
  const programEndNs = clock.programNs(endNs);
  let sum = 0;
  let all = 0;
  for (const { count, firstNs, gapNs } of runs) {
    all += count;
    for (let done = 0; done < count; ) {
      const fromNs = firstNs + done * gapNs;
      const within = gapNs === 0 ? count : Math.floor((clock.steadyUntilNs(fromNs) - fromNs) / gapNs);
      const some = Math.min(count - done, Math.max(1, within));
      const first = clock.programNs(fromNs);
      const last = Math.min(clock.programNs(fromNs + (some - 1) * gapNs), programEndNs);
      const decay = some === 1 ? 0 : (writesPerNs * (last - first)) / (some - 1);
      sum += Math.exp(-writesPerNs * (programEndNs - last)) * series(decay, some);
      done += some;
    }
  }
  return sum / all;
}

/** 1 + e^−d + e^−2d + …, so many terms. */
function series(decay: number, terms: number): number {
  return decay === 0 ? terms : Math.expm1(-decay * terms) / Math.expm1(-decay);
}
