import { expect, test } from 'vitest';
import { IdempotencyKeys } from '../../src/daemon/idempotency-keys.ts';

/** Carries out something that can be counted. */
function counted() {
  let times = 0;
  return async () => {
    times += 1;
    return { body: times, location: `/api/things/${times}` };
  };
}

test('a request that comes again with its key is not carried out again, also while it still is', async () => {
  const keys = new IdempotencyKeys();
  const act = counted();
  const both = await Promise.all([keys.once('k', 'same', act), keys.once('k', 'same', act)]);
  expect(both).toEqual([
    { body: 1, location: '/api/things/1', isRepeated: false },
    { body: 1, location: '/api/things/1', isRepeated: true },
  ]);
  expect((await keys.once('other', 'same', act)).body).toBe(2);
});

test('another request under the same key is refused, and so is what is no key', async () => {
  const keys = new IdempotencyKeys();
  await keys.once('k', 'one', counted());
  await expect(keys.once('k', 'another', counted())).rejects.toMatchObject({ status: 422 });
  for (const key of ['', 'with space', 'x'.repeat(256)])
    await expect(keys.once(key, 'one', counted())).rejects.toMatchObject({ status: 400 });
});

test('what was refused has changed nothing, and is tried anew', async () => {
  const keys = new IdempotencyKeys();
  await expect(keys.once('k', 'same', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect((await keys.once('k', 'same', counted())).isRepeated).toBe(false);
});

test('only so many are remembered, the latest', async () => {
  const keys = new IdempotencyKeys(2);
  const act = counted();
  for (const key of ['a', 'b', 'c']) await keys.once(key, key, act);
  expect((await keys.once('c', 'c', act)).isRepeated).toBe(true);
  expect((await keys.once('a', 'a', act)).isRepeated).toBe(false);
});
