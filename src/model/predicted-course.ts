import type { Random } from '../core/random.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { DirtyCurve } from './curve.ts';
import { type AutoConverge, Throttle } from './throttle.ts';

/** A migration under QEMU's rule, at the moment from which on it is predicted. */
export interface CourseState {
  readonly elapsedNs: Nanos;
  /** Without those of zeros, which cost next to nothing. */
  readonly leftPages: number;
  /** So many more of the first pass hold zeros. Without: none. */
  readonly zeroPages?: number;
  /** Since dirty pages were last looked for. */
  readonly sinceLookNs: Nanos;
  readonly throttlePercent: number;
  /** Periods of too many dirty pages since the throttle was last raised. */
  readonly highPeriods: number;
}

/** What it goes by from there on. */
export interface CourseTerms {
  readonly pagesPerSecond: number;
  /** It stops when less is left: bandwidth × downtime limit. */
  readonly thresholdPages: number;
  readonly totalPages: number;
  readonly autoConverge: AutoConverge | null;
}

export interface CourseEnd {
  /** Of the live rounds, since the migration's start; null: it does not end by itself. */
  readonly endNs: Nanos | null;
  /** Sent in the stop. */
  readonly leftPages: number;
  readonly sentPages: number;
  readonly throttlePercent: number;
}

/** QEMU sends in bursts of so long, and looks what is left after each (migration/migration.c, BUFFER_DELAY). */
export const BURST_NS: Nanos = 1e8;
/** Its buffer is flushed when it has 64 parts (migration/qemu-file.c, MAX_IOV_SIZE): a page and its header are two. */
const PAGES_OF_FLUSH = 32;

/**
 * How many pages a second a limit of its bandwidth lets pass. Only what has been flushed counts against what a burst may have
 * (migration/migration-stats.c, migration_rate_exceeded), so that a burst is of whole flushes, the last of which begins within the limit.
 */
export function pagesWithinLimit(rateBytesPerSecond: BytesPerSecond, bytesPerPage: Bytes): number {
  const burstPages = (rateBytesPerSecond * BURST_NS) / NANOS_PER_SECOND / bytesPerPage;
  return (Math.ceil(burstPages / PAGES_OF_FLUSH) * PAGES_OF_FLUSH * NANOS_PER_SECOND) / BURST_NS;
}
/** Whoever has looked so often without an end goes on for ever. */
const LOOKS_MAX = 1_000;
/** How much more or less is dirtied than the curve says, from look to look, in ln. */
const LOOK_DEVIATION = 0.15;

/**
 * QEMU's live rounds, look by look: pages are sent in bursts until less than the threshold is left; then dirty pages are
 * looked for, which brings D(time since the last look) more; it stops if still less is left. Auto-converge makes the
 * guest's time pass more slowly.
 */
export function predictedCourse(
  state: CourseState,
  { pagesPerSecond, thresholdPages, totalPages, autoConverge }: CourseTerms,
  curve: DirtyCurve,
  random: Random,
): CourseEnd {
  const burstPages = (pagesPerSecond * BURST_NS) / NANOS_PER_SECOND;
  const usedPages = totalPages - (state.zeroPages ?? 0);
  const throttle = new Throttle(autoConverge, state.throttlePercent, state.highPeriods);
  let { elapsedNs, leftPages, sinceLookNs } = state;
  let beforeLookPages = thresholdPages - zerosAmongTheLast(state, thresholdPages, random);
  // Where in a burst the moment is, nobody knows.
  let untilBurstEndNs = BURST_NS * random.uniform();
  let [sentPages, sentSinceLook] = [0, (pagesPerSecond * sinceLookNs) / NANOS_PER_SECOND];
  const send = (ns: Nanos) => {
    const pages = Math.min(leftPages, (pagesPerSecond * ns) / NANOS_PER_SECOND);
    leftPages -= pages;
    sentPages += pages;
    sentSinceLook += pages;
    elapsedNs += ns;
    sinceLookNs += ns;
  };
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    send(untilBurstEndNs);
    const bursts = Math.ceil((leftPages - beforeLookPages) / burstPages);
    if (bursts > 0) send(bursts * BURST_NS);
    untilBurstEndNs = BURST_NS;
    beforeLookPages = thresholdPages;
    const chance = Math.exp(LOOK_DEVIATION * random.normal());
    const written = Math.min(totalPages, chance * curve(sinceLookNs * throttle.speed));
    // A page that was still left counts once, and any of those that are used is as likely to be written.
    const dirtied = written * (1 - Math.min(1, leftPages / Math.max(usedPages, written)));
    leftPages += dirtied;
    throttle.look(sinceLookNs, dirtied, sentSinceLook);
    [sinceLookNs, sentSinceLook] = [0, 0];
    if (leftPages < thresholdPages)
      return { endNs: elapsedNs, leftPages, sentPages, throttlePercent: throttle.percent };
  }
  return { endNs: null, leftPages, sentPages, throttlePercent: throttle.percent };
}

/** A burst passes over any number of zeros. Where they lie nobody knows: they may be the last pages of the first pass. */
function zerosAmongTheLast({ zeroPages = 0 }: CourseState, thresholdPages: number, random: Random): number {
  return zeroPages === 0 ? 0 : Math.min(zeroPages, thresholdPages) * random.uniform();
}
