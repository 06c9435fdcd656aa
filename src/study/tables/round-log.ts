import type { Step, StepResult } from '../../core/migration/steps.ts';
import { formatDuration, formatRate, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';

/** Prints a line for each round and for the pause as they end. A round may be sent in several pieces. */
export function roundLog(print: (line: string) => void): (step: Step, result: StepResult) => void {
  let round = 0;
  let sinceNs: Nanos = 0;
  let stopped = false;
  let sent = { pages: 0, bytes: 0 };
  let isWhole = false;
  let found = { dirtyPages: 0, atNs: 0 };
  const roundEnds = (how: string) => {
    round += 1;
    print(`  round ${round}: ${pagesSent(sent, found.atNs - sinceNs)}, ${found.dirtyPages} dirty${how}`);
    sinceNs = found.atNs;
    sent = { pages: 0, bytes: 0 };
    isWhole = false;
  };
  return (step, result) => {
    if (result.kind === 'failed') print(`  ${step.kind} failed: ${result.why}`);
    else if (step.kind === 'track') sinceNs = result.now;
    else if (step.kind === 'send' && result.kind === 'sent') {
      sent = { pages: sent.pages + result.sentPages, bytes: sent.bytes + result.bytes };
      isWhole = step.endsRound && result.sentPages === step.pages.length;
      if (stopped) print(`  stopped: ${pagesSent(sent, result.now - sinceNs)}`);
    } else if (step.kind === 'harvest' && result.kind === 'dirty') {
      found = { dirtyPages: result.dirty.count(), atNs: result.now };
      if (isWhole) roundEnds('');
    } else if ((step.kind === 'stop' || step.kind === 'abort') && !stopped) {
      if (sent.pages > 0) roundEnds(', cut short');
      stopped = true;
      sinceNs = result.now;
    }
  };
}

function pagesSent({ pages, bytes }: { readonly pages: number; readonly bytes: number }, ns: Nanos): string {
  const rate = ns === 0 ? 'at once' : formatRate((bytes * NANOS_PER_SECOND) / ns);
  return `${pages} pages in ${formatDuration(ns)} (${rate})`;
}
