import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordedNs, recordingStartNs, type TraceSpec, trace } from '../../src/workload/trace.ts';
import { programOf, recordings } from '../fixtures/recordings.ts';

const PAGES = 64;

/** The last write of each page in (from, to], in the recording's time. */
function lastWrites(spec: TraceSpec, fromNs: number, toNs: number, seed = 1): Map<number, number> {
  const activity = trace.activity(spec, { pages: PAGES, zeroPages: 0, seed });
  const startNs = recordingStartNs(spec, seed);
  const last = new Map<number, number>();
  if (activity.kind !== 'timeline') throw new TypeError('a timeline expected');
  activity.lastWrites(fromNs - startNs, toNs - startNs, (page, atNs) => last.set(page, atNs + startNs));
  return last;
}

describe('a guest that replays a recording', () => {
  test('writes from the instant at which it begins what the recording writes then, over and over', () => {
    const instant = fc.integer({ min: 0, max: 2_000_000_000 });
    fc.assert(
      fc.property(recordings(PAGES, 20), instant, instant, instant, (samples, startNs, afterNs, lengthNs) => {
        const spec = programOf(PAGES, samples);
        const [fromNs, toNs] = [startNs + afterNs, startNs + afterNs + lengthNs];
        const begun = lastWrites({ ...spec, startNs }, fromNs, toNs);
        expect(begun).toEqual(lastWrites({ ...spec, startNs: 0 }, fromNs, toNs));
      }),
    );
  });

  test('writes in any stretch as long as the recording all that the recording has', () => {
    fc.assert(
      fc.property(recordings(PAGES, 20), fc.nat(), (samples, seed) => {
        const spec = programOf(PAGES, samples);
        const fromNs = recordingStartNs(spec, seed);
        const written = lastWrites(spec, fromNs, fromNs + recordedNs(spec), seed);
        expect(new Set(written.keys())).toEqual(new Set(samples.flatMap(([, pages]) => pages)));
      }),
    );
  });

  test('at another speed writes the same pages in the same order, so much closer together', () => {
    const instant = fc.integer({ min: 0, max: 1_000_000_000 });
    fc.assert(
      fc.property(
        recordings(PAGES, 20),
        instant,
        instant,
        fc.constantFrom(0.5, 2, 8),
        (samples, fromNs, lengthNs, speed) => {
          const spec = { ...programOf(PAGES, samples), startNs: 0 };
          const asRecorded = lastWrites(spec, fromNs * speed, (fromNs + lengthNs) * speed);
          const written = lastWrites({ ...spec, speed }, fromNs, fromNs + lengthNs);
          expect([...written].map(([page, atNs]) => [page, atNs * speed])).toEqual([...asRecorded]);
        },
      ),
    );
  });

  // Kolmogorov and Smirnov: the largest distance is above 1.95/√n with probability 0.001.
  test('begins at any instant of it with the same probability, by its seed', () => {
    const spec = programOf(PAGES, [[1_000, [3]]]);
    const runs = 1_000;
    const starts = Float64Array.from(
      { length: runs },
      (_, seed) => recordingStartNs(spec, seed) / recordedNs(spec),
    );
    const distance = Math.max(
      ...starts
        .sort()
        .map((share, rank) => Math.max(Math.abs(share - rank / runs), Math.abs(share - (rank + 1) / runs))),
    );
    expect(starts.every((share) => share >= 0 && share < 1)).toBe(true);
    expect(distance).toBeLessThan(1.95 / Math.sqrt(runs));
  });

  test('begins where its scenario says, whatever its seed', () => {
    const spec = { ...programOf(PAGES, [[1_000, [3]]]), startNs: 7 };
    expect([1, 2, 3].map((seed) => recordingStartNs(spec, seed))).toEqual([7, 7, 7]);
  });
});
