import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/platform/problem.ts';
import { combinationsOf, parseSetting, withSettings } from '../../src/scenario/settings.ts';

const problemsOf = (action: () => unknown) => {
  try {
    action();
  } catch (cause) {
    if (cause instanceof UsageError) return cause.problems;
    throw cause;
  }
  return [];
};

describe('--set', () => {
  test.each([
    ['runs=3', 'runs', 3],
    ['migration.order=lru', 'migration.order', 'lru'],
    ['link.rate=50Mbit/s', 'link.rate', '50Mbit/s'],
    [
      'guest.program={ kind: sequential, writesPerSecond: 2 }',
      'guest.program',
      { kind: 'sequential', writesPerSecond: 2 },
    ],
    ['compare={}', 'compare', {}],
    ['guest.name="a=b"', 'guest.name', 'a=b'],
    ['guest.name=a=b', 'guest.name', 'a=b'],
    [' seed =1', 'seed', 1],
    ['describe=', 'describe', null],
  ])('takes a path and a value in YAML: %s', (text, path, value) => {
    expect(parseSetting(text)).toEqual({ path, value });
  });

  test('says what it expected when it is something else', () => {
    expect(problemsOf(() => parseSetting('runs'))).toEqual([
      { path: '--set', expected: 'path=value', found: '"runs"' },
    ]);
    expect(problemsOf(() => parseSetting('=3'))).toEqual([
      { path: '--set', expected: 'path=value', found: '"=3"' },
    ]);
    expect(problemsOf(() => parseSetting('guest.program={ kind: '))).toEqual([
      { path: '--set guest.program', expected: 'a YAML value', found: '"{ kind: "' },
    ]);
  });
});

describe('a setting', () => {
  test('changes what its path names and nothing else', () => {
    const document = { guest: { pages: 1, name: 'a' }, runs: 2 };
    expect(withSettings(document, [{ path: 'guest.pages', value: 5 }])).toEqual({
      guest: { pages: 5, name: 'a' },
      runs: 2,
    });
  });

  test('makes what is not there, and replaces what is no object', () => {
    expect(withSettings({}, [{ path: 'a.b.c', value: 1 }])).toEqual({ a: { b: { c: 1 } } });
    expect(withSettings({ defer: 'none' }, [{ path: 'defer.threshold', value: 0.3 }])).toEqual({
      defer: { threshold: 0.3 },
    });
    expect(withSettings(null, [{ path: 'runs', value: 1 }])).toEqual({ runs: 1 });
  });

  test('reaches into a list by number', () => {
    const document = { classes: [{ pages: 1 }, { pages: 2 }] };
    expect(withSettings(document, [{ path: 'classes.1.pages', value: 9 }])).toEqual({
      classes: [{ pages: 1 }, { pages: 9 }],
    });
  });

  test('is overruled by a later one', () => {
    const settings = [
      { path: 'a', value: { b: 1, c: 2 } },
      { path: 'a.b', value: 3 },
    ];
    expect(withSettings({}, settings)).toEqual({ a: { b: 3, c: 2 } });
    expect(withSettings({}, settings.toReversed())).toEqual({ a: { b: 1, c: 2 } });
  });

  test('gives a document of its own: what is changed in it later does not show in the first', () => {
    const document = { guest: { pages: 1 } };
    const changed = withSettings(document, [{ path: 'runs', value: 2 }]) as typeof document;
    changed.guest.pages = 9;
    expect(document.guest.pages).toBe(1);
  });

  test('never changes the document or the value that it was given', () => {
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.integer(),
        fc.dictionary(fc.constantFrom('a', 'b', '0'), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    const path = fc.array(fc.constantFrom('a', 'b', '0'), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(tree, path, tree, (document, keys, value) => {
        const before = structuredClone({ document, value });
        const changed = withSettings(document, [{ path: keys.join('.'), value }]);
        const found = keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], changed);
        expect(found).toEqual(value);
        if (typeof found === 'object') (found as Record<string, unknown>).mischief = true;
        expect({ document, value }).toEqual(before);
      }),
    );
  });
});

describe('compare', () => {
  test('without alternatives is one cell', () => {
    expect(combinationsOf(undefined)).toEqual([[]]);
    expect(combinationsOf(null)).toEqual([[]]);
    expect(combinationsOf({})).toEqual([[]]);
  });

  test('is every combination, the last path changing fastest', () => {
    expect(combinationsOf({ a: [1, 2], 'b.c': ['x', 'y', 'z'] })).toEqual(
      [1, 2].flatMap((a) =>
        ['x', 'y', 'z'].map((bc) => [
          { path: 'a', value: a },
          { path: 'b.c', value: bc },
        ]),
      ),
    );
  });

  test('has as many cells as the product of its lists, no two the same', () => {
    const lists = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 4 }),
    );
    fc.assert(
      fc.property(lists, (compare) => {
        const cells = combinationsOf(compare);
        expect(cells.length).toBe(Object.values(compare).reduce((product, list) => product * list.length, 1));
        expect(new Set(cells.map((cell) => JSON.stringify(cell))).size).toBe(cells.length);
      }),
    );
  });

  test('changes paths that share a key together', () => {
    const cells = combinationsOf({
      'order, defer': [
        ['lru', 'none'],
        ['address', { threshold: 0.3 }],
      ],
      rounds: [1, 3],
    });
    expect(cells.length).toBe(4);
    expect(cells[3]!).toEqual([
      { path: 'order', value: 'address' },
      { path: 'defer', value: { threshold: 0.3 } },
      { path: 'rounds', value: 3 },
    ]);
  });

  test('says of everything that is no list of the right length where it is, what was expected and what found', () => {
    expect(problemsOf(() => combinationsOf(3))).toEqual([
      { path: 'compare', expected: 'paths with lists of values', found: '3' },
    ]);
    expect(problemsOf(() => combinationsOf([1]))).toEqual([
      { path: 'compare', expected: 'paths with lists of values', found: '[1]' },
    ]);
    expect(problemsOf(() => combinationsOf({ c: 3, d: [], 'a, b': [[1, 2], 5, [1]] }))).toEqual([
      { path: 'compare.c', expected: 'a list of values', found: '3' },
      { path: 'compare.d', expected: 'a list of values', found: '[]' },
      { path: 'compare.a, b.1', expected: 'a list of 2 values', found: '5' },
      { path: 'compare.a, b.2', expected: 'a list of 2 values', found: '[1]' },
    ]);
  });

  test('does not compare what belongs to the experiment as a whole', () => {
    expect(problemsOf(() => combinationsOf({ seed: [1, 2] }))).toEqual([
      { path: 'compare.seed', expected: 'a setting of the migration', found: 'seed, which all cells share' },
    ]);
  });
});

describe('what a few characters ask for is bounded', () => {
  const paths = (setting: string) =>
    problemsOf(() => withSettings({ list: [1, 2] }, [parseSetting(setting)]));

  test('a path of many parts', () => {
    expect(paths(`${'a.'.repeat(100_000)}b=1`)).toEqual([
      expect.objectContaining({ expected: 'a path of at most 16 parts', found: '100001 parts' }),
    ]);
  });

  test('a place far behind the end of a list', () => {
    expect(paths('list.4000000000=1')).toEqual([
      { path: 'list.4000000000', expected: 'a place from 0 to 2 of the list', found: '4000000000' },
    ]);
    expect(paths('list.2=1')).toEqual([]);
  });

  test('a matrix of a billion combinations', () => {
    const ten = Array.from({ length: 10 }, (_, value) => value);
    const compare = Object.fromEntries(ten.slice(1).map((value) => [`a${value}`, ten]));
    expect(problemsOf(() => combinationsOf(compare))).toEqual([
      { path: 'compare', expected: 'at most 2000 combinations', found: '1000000000' },
    ]);
  });

  test('a value that contains itself', () => {
    expect(() => parseSetting('a=&a [*a]')).toThrow('--set a: expected at most 64 levels of nesting');
  });
});
