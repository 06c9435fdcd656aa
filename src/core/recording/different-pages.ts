import type { Nanos } from '../units.ts';

/** What changed since the sample before. */
interface Sample {
  /** Since the start. */
  readonly atNs: Nanos;
  readonly changed: Uint32Array;
}

/**
 * D(e) of a recording: how many different pages are written within an exposure, on average over all windows of about that
 * length that begin at a sample.
 * @param pages of the recorded memory, above every number in `changed`
 * @param sloppyNs by how much a window may be longer or shorter
 * @returns undefined: no window is so long
 */
export function differentPages(
  samples: readonly Sample[],
  pages: number,
  exposureNs: Nanos,
  sloppyNs: Nanos,
): number | undefined {
  /** In which window a page was seen last, counted from 1. */
  const seenIn = new Uint32Array(pages);
  let [sum, windows] = [0, 0];
  for (let from = 0; from < samples.length; from++) {
    const endNs = samples[from]!.atNs + exposureNs;
    let [different, to] = [0, from + 1];
    for (; to < samples.length && samples[to]!.atNs <= endNs + sloppyNs; to++) {
      for (const page of samples[to]!.changed) {
        if (seenIn[page] === from + 1) continue;
        seenIn[page] = from + 1;
        different += 1;
      }
    }
    if (to === from + 1 || samples[to - 1]!.atNs < endNs - sloppyNs) continue;
    sum += different;
    windows += 1;
  }
  return windows === 0 ? undefined : sum / windows;
}
