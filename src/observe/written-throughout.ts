import { inputLimits } from '../core/input-limits.ts';
import type { RecordingSummary } from './recorder.ts';

const MOST_TIMES = 10;
/** Of the writes that a recording may have. */
const MOST_WRITES = 0.75 * inputLimits.recordingWrites;
const LOWER_BOUND =
  'none: a page that was written within an interval is taken to have been written all through it';

/**
 * The same recording, in which a page that was written within an interval is written again and again all through it, up to
 * ten times. A sample does not say how often it was: for what is promised, the worst is taken.
 */
export function writtenThroughout(recorded: RecordingSummary): RecordingSummary {
  const writes = recorded.samples.reduce((sum, { changed }) => sum + changed.length, 0);
  const most = Math.floor(
    Math.min(MOST_WRITES / writes, inputLimits.recordingSamples / recorded.samples.length),
  );
  const times = Math.max(1, Math.min(MOST_TIMES, most));
  const samples = recorded.samples.flatMap(({ atNs, changed }, index) => {
    const fromNs = recorded.samples[index - 1]?.atNs ?? 0;
    return Array.from({ length: times }, (_, part) => ({
      atNs: fromNs + ((atNs - fromNs) * (part + 1)) / times,
      changed,
    }));
  });
  return { ...recorded, samples, lowerBound: LOWER_BOUND };
}
