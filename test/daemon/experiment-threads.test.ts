import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ExperimentNews } from '../../src/daemon/experiment-course.ts';
import { ExperimentThreads } from '../../src/daemon/experiment-threads.ts';
import type { WorldName } from '../../src/worlds/worlds.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-experiments-'));
const threads = new ExperimentThreads();
let started = 0;
const count = () => {
  started += 1;
};
beforeAll(() => process.on('worker', count));
afterAll(() => {
  process.off('worker', count);
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  started = 0;
});

const scenario = {
  guest: { pages: 200, program: { kind: 'zipf', writesPerSecond: 300 } },
  link: { rate: '200Mbit/s' },
};

/** Carries it out to its end. */
async function carryOut(document: object, world: WorldName = 'virtual') {
  const news: ExperimentNews[] = [];
  const file = join(folder, 'records.ndjson');
  rmSync(file, { force: true });
  await threads.carryOut({ document, name: 'e', world, file }, (one) => news.push(one)).ended;
  return { last: news.at(-1), records: () => readFileSync(file, 'utf8') };
}

test('experiments in virtual time that follow each other share a thread, and each says what it would say alone', async () => {
  const first = await carryOut(scenario);
  const alone = first.records();
  await carryOut({ ...scenario, seed: 7 });
  const again = await carryOut(scenario);
  expect(again.last).toEqual({ kind: 'ended', how: 'completed' });
  expect(again.records()).toBe(alone);
  expect(started).toBe(1);
});

test('two at a time have a thread each', async () => {
  await Promise.all([carryOut(scenario), carryOut(scenario), carryOut(scenario)]);
  // One is there from before.
  expect(started).toBe(2);
});

test('one that fails says why, and its thread is not used again', async () => {
  const wrong = await carryOut({ ...scenario, link: { rate: 'fast' } });
  expect(wrong.last).toMatchObject({
    kind: 'ended',
    how: 'failed',
    why: expect.stringMatching(/link\.rate/),
  });
  const [one, two, three] = await Promise.all([carryOut(scenario), carryOut(scenario), carryOut(scenario)]);
  expect([one, two, three].map(({ last }) => last)).toEqual(
    Array(3).fill({ kind: 'ended', how: 'completed' }),
  );
  expect(started).toBe(1);
});

test('what is measured has a thread of its own', async () => {
  await carryOut(scenario);
  started = 0;
  const { last } = await carryOut({ ...scenario, migration: { order: 'address' } }, 'threads');
  expect(last).toEqual({ kind: 'ended', how: 'completed' });
  expect(started).toBe(1);
});

test('one that is cancelled ends before it is done, and the next is carried out', async () => {
  const news: ExperimentNews[] = [];
  const long = { ...scenario, runs: 900, guest: { ...scenario.guest, pages: 100_000 } };
  const file = join(folder, 'long.ndjson');
  const { ended, cancel } = threads.carryOut({ document: long, name: 'e', world: 'virtual', file }, (one) =>
    news.push(one),
  );
  cancel();
  await ended;
  expect(news.at(-1)).toEqual({ kind: 'ended', how: 'cancelled' });
  expect((await carryOut(scenario)).last).toEqual({ kind: 'ended', how: 'completed' });
});
