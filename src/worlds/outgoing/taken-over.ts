import { formatDuration, NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import type { TakenOver } from '../../transport/payloads.ts';

/** The way of an answer is shorter than this, even between continents. */
const NOTED_SILENCE_NS = 500 * NANOS_PER_MILLISECOND;

/** Half a round trip as long as this is said beside the downtime. */
const NOTED_ERROR_NS = NANOS_PER_MILLISECOND;

/** Of a hand-over, by the source's clock. */
interface Heard {
  /** When the source heard the destination's last answer before the commit. */
  readonly answeredAtNs: Nanos;
  readonly verifiedAtNs: Nanos;
  /** When the source heard that the guest runs. */
  readonly heardAtNs: Nanos;
  /** Between the ends, if it was measured. */
  readonly roundTripNs: Nanos | null;
}

/**
 * When the destination had the commit, and when the guest ran there: by the destination's clock, which the way of its answer
 * does not lengthen; but never later than that came. The clocks are related by its answer before, which was half a round trip
 * on its way, or a part of a round trip that nobody knows: so far it may be wrong in either direction.
 * @returns the instants by the source's clock, and what a reader must know of them
 */
export function instantsOf(
  { resumeNs, sinceAnswerNs }: TakenOver,
  { answeredAtNs, verifiedAtNs, heardAtNs, roundTripNs }: Heard,
) {
  const errorNs = (roundTripNs ?? 0) / 2;
  const answerLeftAtNs = answeredAtNs - errorNs;
  const runningAtNs = Math.max(Math.min(answerLeftAtNs + sinceAnswerNs, heardAtNs), verifiedAtNs);
  const silentNs = heardAtNs - runningAtNs;
  const late = `the source heard ${formatDuration(silentNs)} late that the guest runs; the downtime is by the destination's clock`;
  const error = `the downtime is known to within ± ${formatDuration(errorNs)}, half a round trip`;
  return {
    committedAtNs: Math.max(runningAtNs - resumeNs, verifiedAtNs),
    runningAtNs,
    notes: [...(silentNs >= NOTED_SILENCE_NS ? [late] : []), ...(errorNs >= NOTED_ERROR_NS ? [error] : [])],
  };
}
