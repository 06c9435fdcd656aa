import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SharedAnswer } from '../../src/daemon/shared-answer.ts';

test('however many ask, the question is put seldom, and no answer is older than the asking', async () => {
  let put = 0;
  const shared = new SharedAnswer(async () => {
    put += 1;
    await sleep(5);
    return put;
  }, 40);
  const began = performance.now();
  const asked: Promise<void>[] = [];
  for (let time = 0; time < 200; time++) {
    const before = put;
    asked.push(shared.get().then((answer) => expect(answer).toBeGreaterThan(before)));
    await sleep(1);
  }
  await Promise.all(asked);
  expect(put).toBeLessThanOrEqual((performance.now() - began) / 40 + 2);
  expect(put).toBeGreaterThan(1);
});

test('a question that is not answered is put again for the next who asks', async () => {
  let put = 0;
  const shared = new SharedAnswer(async () => {
    put += 1;
    if (put === 1) throw new Error('not now');
    return put;
  }, 1);
  await expect(shared.get()).rejects.toThrow('not now');
  expect(await shared.get()).toBe(2);
});
