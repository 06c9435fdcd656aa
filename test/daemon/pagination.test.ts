import { expect, test } from 'vitest';
import { pageOf, pageQuery } from '../../src/daemon/pagination.ts';

const items = ['a', 'b', 'c', 'd', 'e'].map((letter) => ({ id: letter.repeat(8) }));

test('pages follow each other until there is no more, and without a limit there is one', () => {
  expect(pageOf(items, {})).toEqual({ page: items, next: undefined });
  const seen: string[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 3; pages++) {
    const { page, next } = pageOf(items, { limit: 2, after });
    seen.push(...page.map(({ id }) => id));
    after = new URLSearchParams(next).get('after') ?? undefined;
  }
  expect(seen).toEqual(items.map(({ id }) => id));
  expect(after).toBe(undefined);
});

test('what is not listed has nothing after it, and a limit is a whole number', () => {
  expect(() => pageOf(items, { after: 'gone' })).toThrow(
    /query\.after: expected the id of one that is listed/,
  );
  for (const limit of ['0', '201', '1.5', 'many']) expect(pageQuery.safeParse({ limit }).success).toBe(false);
  expect(pageQuery.parse({ limit: '7' })).toEqual({ limit: 7 });
});
