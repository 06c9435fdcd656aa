import { type Bytes, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { Dirtied, Sample } from './observation.ts';

/** Below this QEMU keeps its dirty rate as it was (migration/ram.c, migration_bitmap_sync: a second). */
const RATE_KEPT_NS = 1e9;

/**
 * What was dirtied from one look for dirty pages to the next. Between two samples of which the second has seen one more
 * look, pages left can only have been sent or been found dirty:
 *
 *   dirtied = left after − left before + sent in between,
 *
 * which is exact however far apart the samples are. The exposure is not: a look lies somewhere between its samples. Where
 * QEMU tells the rate at which pages were dirtied, the exposure is pages / rate.
 * Looks that fall between the same two samples are taken to be alike.
 * @param leftUnitBytes what is left was rounded down to whole ones of these
 */
export function dirtiedOf(
  samples: readonly Sample[],
  pageSizeBytes: Bytes,
  leftUnitBytes: Bytes = 0,
): readonly Dirtied[] {
  const dirtied: Dirtied[] = [];
  /** When the bits were last taken off; undefined: before the log begins. */
  let sinceNs: Nanos | undefined;
  const [first] = samples;
  if (first && (first.syncs === null ? first.atNs === 0 : first.syncs <= 1)) sinceNs = 0;
  for (let index = 1; index < samples.length; index++) {
    const [before, after] = [samples[index - 1]!, samples[index]!];
    if (!isPrecopy(before) || !isPrecopy(after)) continue;
    const looks = looksBetween(before, after);
    if (looks === 0) continue;
    const atNs = (before.atNs + after.atNs) / 2;
    const pages = pagesDirtied(before, after, pageSizeBytes);
    const told = after.dirtyPagesPerSecond;
    if (before.syncs === 0) sinceNs = atNs;
    else {
      const exposureNs = exposureOf({ pages, told, looks, sinceNs, before, after });
      if (exposureNs !== undefined && exposureNs > 0) {
        const each = (pages ?? ((told ?? 0) * exposureNs * looks) / NANOS_PER_SECOND) / looks;
        if (pages !== undefined || told) {
          const spread = looks === 1 ? 0 : 0.5;
          const rounded = leftUnitBytes / pageSizeBytes / looks;
          dirtied.push({
            atNs: after.atNs,
            exposureNs,
            pages: { low: Math.max(0, each * (1 - spread) - rounded), high: each * (1 + spread) + rounded },
            throttlePercent: before.throttlePercent ?? 0,
          });
        }
      }
      sinceNs = atNs;
    }
  }
  return dirtied;
}

const OTHERS = new Set(['none', 'completed', 'failed', 'cancelling', 'cancelled', 'wait-unplug', 'colo']);

/** Also with a word of another version for it. */
function isPrecopy({ status }: Sample): boolean {
  return status === null || !(status.startsWith('postcopy') || OTHERS.has(status));
}

/** Where they are not counted, what is left rises. */
function looksBetween(before: Sample, after: Sample): number {
  if (before.syncs !== null && after.syncs !== null) return Math.max(0, after.syncs - before.syncs);
  if (before.leftBytes === null || after.leftBytes === null) return 0;
  return after.leftBytes > before.leftBytes ? 1 : 0;
}

/** undefined: it was not said. Never below 0, also where a damaged log has it so. */
function pagesDirtied(before: Sample, after: Sample, pageSizeBytes: number): number | undefined {
  if (before.leftBytes === null || after.leftBytes === null) return undefined;
  const left = (after.leftBytes - before.leftBytes) / pageSizeBytes;
  return Math.max(0, left + sentPages(before, after, pageSizeBytes));
}

/** Where pages are not counted, bytes are, which leaves out pages of zeros. */
function sentPages(before: Sample, after: Sample, pageSizeBytes: number): number {
  if (before.sentPages !== null && after.sentPages !== null) return after.sentPages - before.sentPages;
  if (before.sentBytes === null || after.sentBytes === null) return 0;
  return (after.sentBytes - before.sentBytes) / pageSizeBytes;
}

function exposureOf({
  pages,
  told,
  looks,
  sinceNs,
  before,
  after,
}: {
  readonly pages: number | undefined;
  readonly told: number | null;
  readonly looks: number;
  readonly sinceNs: Nanos | undefined;
  readonly before: Sample;
  readonly after: Sample;
}): Nanos | undefined {
  const byRate = pages && told && looks === 1 ? (pages / told) * NANOS_PER_SECOND : undefined;
  if (sinceNs === undefined)
    return byRate !== undefined && told !== before.dirtyPagesPerSecond ? byRate : undefined;
  const [least, most] = [before.atNs - sinceNs, after.atNs - sinceNs];
  const isTold =
    byRate !== undefined && byRate >= RATE_KEPT_NS && byRate >= 0.9 * least && byRate <= 1.1 * most;
  return isTold ? byRate : (least + most) / 2 / looks;
}
