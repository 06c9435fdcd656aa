import type { Seen, Step } from '../../core/migration/steps.ts';
import { formatDuration, formatRate, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';

/** Says in one line what each round and the stop did, as it happens. */
export function roundLog(print: (line: string) => void): (step: Step, seen: Seen) => void {
  let round = 0;
  let sinceNs: Nanos = 0;
  let stopped = false;
  let sent: Extract<Seen, { kind: 'sent' }> | undefined;
  return (step, seen) => {
    if (seen.kind === 'failed') print(`  ${step.kind} failed: ${seen.why}`);
    else if (step.kind === 'track') sinceNs = seen.now;
    else if (step.kind === 'stop') {
      stopped = true;
      sinceNs = seen.now;
    } else if (seen.kind === 'sent') {
      sent = seen;
      if (stopped) print(`  stopped: ${pagesSent(seen, seen.now - sinceNs)}`);
    } else if (step.kind === 'harvest' && seen.kind === 'dirty' && sent) {
      round += 1;
      print(`  round ${round}: ${pagesSent(sent, seen.now - sinceNs)}, ${seen.dirty.count()} dirty`);
      sinceNs = seen.now;
    }
  };
}

function pagesSent(sent: Extract<Seen, { kind: 'sent' }>, ns: Nanos): string {
  const rate = formatRate((sent.bytes * NANOS_PER_SECOND) / Math.max(1, ns));
  return `${sent.sentPages} pages in ${formatDuration(ns)} (${rate})`;
}
