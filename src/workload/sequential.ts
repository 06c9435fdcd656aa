import { NANOS_PER_SECOND } from '../core/units.ts';
import { type NumberedWrites, numberedActivity, numberedProgram } from './numbered-writes.ts';
import type { ProgramKind, ProgramPlace } from './program.ts';
import { scattered } from './scatter.ts';

/**
 * Writes `pages` pages one after another at a steady rate, and again from the start. So in a time t it dirties
 * min(rate · t, pages) different pages: straight up, then saturated. `sequential` takes neighbours in their order;
 * a `saturating` working set is scattered over the memory.
 */
export interface SequentialSpec {
  readonly kind: 'sequential' | 'saturating';
  readonly pages: number;
  readonly writesPerSecond: number;
}

/** Write number k (from 0) is due at (k + 1) / rate and goes to page k mod n. */
function writesOf({ kind, pages, writesPerSecond }: SequentialSpec, place: ProgramPlace): NumberedWrites {
  const layout = kind === 'saturating' ? scattered(place.pages, place.seed) : undefined;
  const gapNs = NANOS_PER_SECOND / writesPerSecond;
  return {
    length: pages,
    page: (k) => layout?.[k % pages] ?? k % pages,
    dueNs: (k) => (k + 1) * gapNs,
    dueUntil: (atNs) => Math.floor(atNs / gapNs),
    repetitionsPerSecond: writesPerSecond / pages,
  };
}

export const sequential: ProgramKind<SequentialSpec> = {
  program: (spec, place) => numberedProgram(writesOf(spec, place)),
  activity: (spec, place) => numberedActivity(writesOf(spec, place), place.pages),
  pagesNeeded: ({ pages }) => pages,
};
