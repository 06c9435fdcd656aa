import { WorkingSet } from '../core/recording/working-set.ts';
import { formatDuration, formatSize, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { RecordingProgress } from '../observe/recorder.ts';
import { tell } from '../platform/tell.ts';
import { folded } from '../study/tables/folded.ts';
import { CLEAR_LINE } from './progress-line.ts';

const WINDOW_NS = NANOS_PER_SECOND;
/** On a terminal each line overwrites the last one. In a file they add up, so there should be few. */
const LINE_EVERY_NS = { terminal: NANOS_PER_SECOND / 4, file: 10 * NANOS_PER_SECOND };

/** On standard error: how fast pages are written, and how many different ones. */
export function recordingDisplay(
  source: string,
  pageSizeBytes: number,
  { forNs, intervalNs }: { readonly forNs: Nanos; readonly intervalNs: Nanos },
) {
  const terminal = process.stderr.isTTY === true;
  const columns = terminal ? process.stderr.columns || 80 : undefined;
  const everyNs = terminal ? LINE_EVERY_NS.terminal : LINE_EVERY_NS.file;
  const workingSet = new WorkingSet(WINDOW_NS);
  const touched = new Set<number>();
  let shownAtNs = 0;
  const told = `recording ${source} for ${formatDuration(forNs)}, a sample every ${formatDuration(intervalNs)}; Ctrl-C ends it early`;
  tell(`${folded(told, columns)}\n`);
  return {
    sampled({ atNs, changed, scanNs, seenPages, missedSamples }: RecordingProgress) {
      workingSet.see(atNs, changed);
      for (const place of changed) touched.add(place);
      if (atNs - shownAtNs < everyNs) return;
      shownAtNs = atNs;
      const sized = (pages: number) => `${pages} pages (${formatSize(pages * pageSizeBytes)})`;
      const parts = [
        formatDuration(atNs),
        `${Math.round(workingSet.writesPerSecond(0))} page writes/s`,
        `working set ${sized(workingSet.pages)} in ${formatDuration(WINDOW_NS)}`,
        `touched ${touched.size} of ${sized(seenPages)}`,
        `a scan takes ${formatDuration(scanNs)}`,
        ...(missedSamples > 0 ? [`${missedSamples} missed`] : []),
      ];
      tell(terminal ? `${CLEAR_LINE}${joinedWithin(parts, columns)}` : `${joinedWithin(parts)}\n`);
    },
    close() {
      if (terminal) tell(CLEAR_LINE);
    },
  };
}

/** As many parts as one line has room for, those that matter first: a line that wraps cannot be written over. */
function joinedWithin(parts: readonly string[], columns = Number.POSITIVE_INFINITY): string {
  return parts.reduce((line, part) => (line.length + 3 + part.length < columns ? `${line} · ${part}` : line));
}
