import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PageSet } from '../../../src/core/migration/pages.ts';

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.constantFrom(31, 32, 33, 63, 64, 65, 96, 127, 128, 129),
);

/** A number of pages, and two sets of them. */
const twoSets = sizes.chain((pages) => {
  const members = fc.uniqueArray(fc.nat({ max: pages - 1 }));
  return fc.tuple(fc.constant(pages), members, members);
});

const ascending = (set: Iterable<number>) => [...set].sort((a, b) => a - b);

/** Everything that a set says of itself is the same as of the model. */
function expectSame(set: PageSet, model: ReadonlySet<number>): void {
  expect([...set.toArray()]).toEqual(ascending(model));
  expect(set.count()).toBe(model.size);
  const numbers = Array.from({ length: set.pages }, (_, page) => page);
  expect(numbers.filter((page) => set.has(page))).toEqual(ascending(model));
  const visited: number[] = [];
  set.each((page) => visited.push(page));
  expect(visited).toEqual(ascending(model));
}

describe('a page set', () => {
  test('is a set: whatever is done to it, it holds what a Set would', () => {
    const command = (pages: number) =>
      fc.record({
        name: fc.constantFrom('add', 'delete', 'addAll', 'deleteAll', 'deleteRow', 'keepAll', 'clear', 'add'),
        page: fc.nat({ max: pages - 1 }),
        others: fc.uniqueArray(fc.nat({ max: pages - 1 })),
      });
    const runs = sizes.chain((pages) =>
      fc.tuple(fc.constant(pages), fc.array(command(pages), { maxLength: 30 })),
    );
    fc.assert(
      fc.property(runs, ([pages, commands]) => {
        const set = new PageSet(pages);
        let model = new Set<number>();
        for (const { name, page, others } of commands) {
          const other = PageSet.of(pages, others);
          if (name === 'add') {
            set.add(page);
            model.add(page);
          } else if (name === 'delete') {
            set.delete(page);
            model.delete(page);
          } else if (name === 'clear') {
            set.clear();
            model = new Set();
          } else if (name === 'addAll') {
            expect(set.addAll(other)).toBe(set);
            model = new Set([...model, ...others]);
          } else if (name === 'keepAll') {
            expect(set.keepAll(other)).toBe(set);
            model = new Set([...model].filter((member) => others.includes(member)));
          } else {
            if (name === 'deleteRow') set.deleteRow(Uint32Array.from(others));
            else expect(set.deleteAll(other)).toBe(set);
            model = new Set([...model].filter((member) => !others.includes(member)));
          }
          expect(other.toArray()).toEqual(Uint32Array.from(ascending(others)));
        }
        expectSame(set, model);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    1, 2, 31, 32, 33, 63, 64, 65, 95, 96, 97, 1_023, 1_024, 1_025,
  ])('of all %i pages holds every one and none beyond', (pages) => {
    const all = PageSet.all(pages);
    expect(all.count()).toBe(pages);
    expect(all.toArray()).toEqual(Uint32Array.from({ length: pages }, (_, page) => page));
    const beyond = (all.words.at(-1)! >>> 1) >>> ((pages - 1) & 31);
    expect(beyond).toBe(0);
    expect(new PageSet(pages).addAll(all).deleteAll(all).count()).toBe(0);
  });

  test('of no pages is empty', () => {
    expect(PageSet.all(0).count()).toBe(0);
    expect(PageSet.all(0).toArray()).toEqual(new Uint32Array());
  });

  test('shares nothing with its copy', () => {
    fc.assert(
      fc.property(twoSets, ([pages, members, others]) => {
        const set = PageSet.of(pages, members);
        const copy = set.copy();
        copy.addAll(PageSet.of(pages, others));
        copy.add(0);
        expectSame(set, new Set(members));
        set.clear();
        expectSame(copy, new Set([0, ...members, ...others]));
      }),
    );
  });

  test('may change while it is visited: every page that was there when its word was reached is visited once', () => {
    const set = PageSet.of(100, [0, 31, 32, 63, 64, 99]);
    const visited: number[] = [];
    set.each((page) => {
      visited.push(page);
      set.delete(page);
    });
    expect(visited).toEqual([0, 31, 32, 63, 64, 99]);
    expect(set.count()).toBe(0);
  });

  test('lives in the words that it is given', () => {
    const words = new Uint32Array(2);
    const set = new PageSet(40, words);
    set.add(33);
    expect([...words]).toEqual([0, 2]);
    words[0] = 0x8000_0001;
    expect([...set.toArray()]).toEqual([0, 31, 33]);
  });
});

describe('unions, differences and intersections', () => {
  test('are those of sets', () => {
    fc.assert(
      fc.property(twoSets, ([pages, members, others]) => {
        const [one, other] = [PageSet.of(pages, members), PageSet.of(pages, others)];
        expectSame(one.copy().addAll(other), new Set([...members, ...others]));
        const left = members.filter((page) => !others.includes(page));
        expectSame(one.copy().deleteAll(other), new Set(left));
        expectSame(one.copy().keepAll(other), new Set(members.filter((page) => others.includes(page))));
      }),
    );
  });
});
