import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frequency, known, type LearnedHeat, recency } from '../../../src/core/migration/heat.ts';
import { PageSet } from '../../../src/core/migration/pages.ts';
import { type WindowsSeen, wordsOfWindows } from '../../../src/core/migration/windows-seen.ts';

const PAGES = 6;
const MS = 1_000_000;

interface Window {
  readonly windowNs: number;
  readonly written: readonly number[];
}

const history = fc.array(
  fc.record({
    windowNs: fc.constantFrom(10 * MS, 40 * MS, 400 * MS),
    written: fc.uniqueArray(fc.nat({ max: PAGES - 1 })),
  }),
  { maxLength: 50 },
);

function taught(heat: LearnedHeat, windows: readonly Window[]): number[] {
  for (const { windowNs, written } of windows) heat.see(PageSet.of(PAGES, written), windowNs);
  return Array.from({ length: PAGES }, (_, page) => heat.of(page));
}

describe('recency', () => {
  test('is the number of the last window that saw the page written, 0 if none did', () => {
    fc.assert(
      fc.property(history, (windows) => {
        const expected = Array.from(
          { length: PAGES },
          (_, page) => windows.findLastIndex(({ written }) => written.includes(page)) + 1,
        );
        expect(taught(recency(PAGES), windows)).toEqual(expected);
      }),
    );
  });
});

test('the ranks of recency are its heats, as long as a byte holds them', () => {
  const heat = recency(PAGES);
  for (let window = 1; window < 300; window++) {
    heat.see(PageSet.of(PAGES, [window % PAGES]), MS);
    const heats = Array.from({ length: PAGES }, (_, page) => heat.of(page));
    expect(heat.ranks && [...heat.ranks]).toEqual(window < 256 ? heats : undefined);
  }
});

describe('frequency', () => {
  test('is the share of windows that saw the page written, each weighed by 2^(−age / half-life)', () => {
    fc.assert(
      fc.property(history, fc.constantFrom(20 * MS, 100 * MS, 8_000 * MS), (windows, halfLifeNs) => {
        const weights = windows.map((_, index) => {
          const age = windows.slice(index + 1).reduce((sum, { windowNs }) => sum + windowNs, 0);
          return 2 ** (-age / halfLifeNs);
        });
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const heats = taught(frequency(PAGES, halfLifeNs), windows);
        for (const [page, heat] of heats.entries()) {
          const seen = weights.filter((_, index) => windows[index]!.written.includes(page));
          const share = total === 0 ? 0 : seen.reduce((sum, weight) => sum + weight, 0) / total;
          expect(heat).toBeCloseTo(share, 10);
        }
      }),
    );
  });

  test('is a probability: 0 for a page never written, 1 for one always written', () => {
    const windows = Array.from({ length: 50 }, () => ({ windowNs: 40 * MS, written: [1] }));
    const heats = taught(frequency(PAGES, 100 * MS), windows);
    expect(heats[1]).toBe(1);
    expect(heats[0]).toBe(0);
    expect(taught(frequency(PAGES, 100 * MS), [])[0]).toBe(0);
  });

  test('ages: after one half-life of silence a window weighs half as much as a fresh one', () => {
    const heat = frequency(PAGES, 40 * MS);
    const heats = taught(heat, [
      { windowNs: 40 * MS, written: [0] },
      { windowNs: 40 * MS, written: [1] },
    ]);
    expect(heats[0]! / heats[1]!).toBeCloseTo(1 / 2, 12);
    heat.see(new PageSet(PAGES), 40 * MS);
    expect(heat.of(0)).toBeCloseTo(0.25 / 1.75, 12);
  });

  test('does not depend on the unit of time', () => {
    fc.assert(
      fc.property(history, (windows) => {
        const longer = windows.map(({ windowNs, written }) => ({ windowNs: windowNs * 8, written }));
        expect(taught(frequency(PAGES, 100 * MS), windows)).toEqual(
          taught(frequency(PAGES, 800 * MS), longer),
        );
      }),
    );
  });

  test('never runs out of numbers: after thousands of half-lives it is as it would be without its past', () => {
    fc.assert(
      fc.property(history, fc.constantFrom(1, 7, 40, 499, 501, 2_000), (windows, halfLivesPerWindow) => {
        const halfLifeNs = 10 * MS;
        const past = Array.from({ length: Math.ceil(3_000 / halfLivesPerWindow) + 1 }, (_, index) => ({
          windowNs: halfLivesPerWindow * halfLifeNs,
          written: [index % PAGES, 2],
        }));
        // What is left of the past after its last window is what that one window is worth.
        const aged = taught(frequency(PAGES, halfLifeNs), [...past, ...windows]);
        const recent = taught(frequency(PAGES, halfLifeNs), [...past.slice(-60), ...windows]);
        for (const [page, heat] of aged.entries()) expect(heat).toBeCloseTo(recent[page]!, 10);
      }),
    );
  });
});

describe('windows that are learned at once', () => {
  test('are as many that are learned one by one, before and after others', () => {
    const split = fc.tuple(history, history, history);
    const heats: [string, () => LearnedHeat][] = [
      ['recency', () => recency(PAGES)],
      ['frequency', () => frequency(PAGES, 100 * MS)],
      // Its weights run out of numbers on the way.
      ['frequency that forgets quickly', () => frequency(PAGES, MS / 2)],
    ];
    fc.assert(
      fc.property(split, fc.constantFrom(...heats), ([before, together, after], [, make]) => {
        const heat = make();
        taught(heat, before);
        heat.seeAll(windowsSeen(together));
        const expected = taught(make(), [...before, ...together, ...after]);
        for (const [page, value] of taught(heat, after).entries())
          expect(value).toBeCloseTo(expected[page]!, 12);
      }),
    );
  });
});

/** In no order, as a world may answer. */
function windowsSeen(windows: readonly Window[]): WindowsSeen {
  const words = wordsOfWindows(windows.length);
  const pages = [...new Set(windows.flatMap(({ written }) => written))];
  const seen = new Uint32Array(words * pages.length);
  for (const [window, { written }] of windows.entries()) {
    for (const page of written) seen[pages.indexOf(page) * words + (window >>> 5)]! |= 1 << (window & 31);
  }
  return {
    lengthsNs: Float64Array.from(windows, ({ windowNs }) => windowNs),
    pages: Uint32Array.from(pages),
    seen,
  };
}

describe('known heat', () => {
  test('is the probability of a write within one window', () => {
    const rates = Float64Array.of(0, 1e-5, 0.465, 2.46, 16.8, 1e9);
    const heat = known({ writesPerSecond: rates }, 40 * MS);
    const expected = [...rates].map((rate) => 1 - Math.exp(-rate * 0.04));
    for (const [page, probability] of expected.entries()) expect(heat.of(page)).toBeCloseTo(probability, 12);
    // 1 − exp(−x) would have lost half of the digits here.
    expect(heat.of(1) / (4e-7 - 8e-14)).toBeCloseTo(1, 12);
    expect(Object.is(heat.of(0), 0)).toBe(true);
  });

  test('grows with the rate, and is what frequency comes to after long watching', () => {
    const rates = Float64Array.of(0.1, 1, 5, 20, 60, 200);
    const heat = known({ writesPerSecond: rates }, 40 * MS);
    const watched = frequency(PAGES, 1e15);
    const silent = [...rates].map((rate) => Math.exp(-rate * 0.04));
    for (let window = 0; window < 20_000; window++) {
      // Every page written in its exact share of the windows, spread over them.
      const written = silent.flatMap((quiet, page) => {
        const share = 1 - quiet;
        return Math.floor((window + 1) * share) > Math.floor(window * share) ? [page] : [];
      });
      watched.see(PageSet.of(PAGES, written), 40 * MS);
    }
    for (let page = 0; page < PAGES; page++) {
      expect(watched.of(page)).toBeCloseTo(heat.of(page), 3);
      if (page > 0) expect(heat.of(page)).toBeGreaterThan(heat.of(page - 1));
    }
  });
});
