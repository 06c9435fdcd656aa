import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageSet } from '../../../src/core/migration/pages.ts';
import { pageNumbers } from '../../../src/core/recording/page-numbers.ts';

test('pages are numbered from 0 in ascending address order, in whatever order their blocks were met', () => {
  const blocks = fc.uniqueArray(fc.tuple(fc.nat({ max: 2 ** 35 / 8 }), fc.uniqueArray(fc.nat({ max: 7 }))), {
    selector: ([block]) => block,
  });
  fc.assert(
    fc.property(blocks, (blocks) => {
      const { pages, numberAt } = pageNumbers(
        blocks.map(([block, seen]) => ({ firstPage: block * 8, seen: PageSet.of(8, seen) })),
        8,
      );
      const addresses = blocks.flatMap(([block, seen], at) =>
        seen.map((index) => ({ page: block * 8 + index, place: at * 8 + index })),
      );
      const ascending = addresses.sort((one, other) => one.page - other.page);
      expect(pages).toBe(addresses.length);
      expect(ascending.map(({ place }) => numberAt[place])).toEqual(ascending.map((_, number) => number));
    }),
  );
});
