import { formatDuration, NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import type { TakenOver } from '../../transport/payloads.ts';

/** The way of an answer is shorter than this, even between continents. */
const NOTED_SILENCE_NS = 500 * NANOS_PER_MILLISECOND;

/** Of a hand-over, by the source's clock: when the destination gave its last answer before the commit, all that. */
interface Heard {
  readonly answeredAtNs: Nanos;
  readonly verifiedAtNs: Nanos;
  /** When the source heard that the guest runs. */
  readonly heardAtNs: Nanos;
}

/**
 * When the destination had the commit, and when the guest ran there: by the destination's clock, which the way of its answer
 * does not lengthen; but never later than that came.
 * @returns the instants by the source's clock, and what a reader must know of them
 */
export function instantsOf(
  { resumeNs, sinceAnswerNs }: TakenOver,
  { answeredAtNs, verifiedAtNs, heardAtNs }: Heard,
) {
  const runningAtNs = Math.max(Math.min(answeredAtNs + sinceAnswerNs, heardAtNs), verifiedAtNs);
  const silentNs = heardAtNs - runningAtNs;
  const note = `the source heard ${formatDuration(silentNs)} late that the guest runs; the downtime is by the destination's clock`;
  return {
    committedAtNs: Math.max(runningAtNs - resumeNs, verifiedAtNs),
    runningAtNs,
    notes: silentNs >= NOTED_SILENCE_NS ? [note] : [],
  };
}
