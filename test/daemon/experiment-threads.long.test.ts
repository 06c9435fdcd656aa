import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ExperimentNews } from '../../src/daemon/experiment-run.ts';
import { ExperimentThreads } from '../../src/daemon/experiment-threads.ts';
import type { WorldName } from '../../src/worlds/world-names.ts';

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

/** Some minutes of work. */
const long = { ...scenario, runs: 900, guest: { ...scenario.guest, pages: 100_000 } };

/** What is heard of it if it is cancelled at once. */
async function cancelled(document: object, by: ExperimentThreads): Promise<readonly ExperimentNews[]> {
  const news: ExperimentNews[] = [];
  const file = join(folder, 'long.ndjson');
  const { ended, cancel } = by.carryOut({ document, name: 'e', world: 'virtual', file }, (one) =>
    news.push(one),
  );
  cancel();
  await ended;
  return news;
}

/** Carries it out to its end. */
async function carryOut(document: object, world: WorldName = 'virtual', by = threads) {
  const news: ExperimentNews[] = [];
  const file = join(folder, 'records.ndjson');
  rmSync(file, { force: true });
  await by.carryOut({ document, name: 'e', world, file }, (one) => news.push(one)).ended;
  return { last: news.at(-1), records: () => readFileSync(file, 'utf8') };
}

test('experiments in virtual time that follow each other share a thread, and each says what it would say alone', async () => {
  const first = await carryOut(scenario);
  const alone = first.records();
  await carryOut({ ...scenario, seed: 7 });
  const again = await carryOut(scenario);
  expect(again.last).toEqual({ kind: 'ended', how: 'completed', why: null });
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
    Array(3).fill({ kind: 'ended', how: 'completed', why: null }),
  );
  expect(started).toBe(1);
});

test('what is measured has a thread of its own', async () => {
  const measured = { ...scenario, migration: { order: 'address' } };
  // With the first of a process comes the thread that asks the kernel for all of them.
  await carryOut(measured, 'threads');
  started = 0;
  const { last } = await carryOut(measured, 'threads');
  expect(last).toEqual({ kind: 'ended', how: 'completed', why: null });
  expect(started).toBe(1);
});

test('one that is cancelled ends before it is done, and the next is carried out', async () => {
  expect((await cancelled(long, threads)).at(-1)).toEqual({
    kind: 'ended',
    how: 'cancelled',
    why: 'cancelled',
  });
  expect((await carryOut(scenario)).last).toEqual({ kind: 'ended', how: 'completed', why: null });
});

test('a thread that does not notice that its experiment was cancelled is ended, and is not given the next', async () => {
  const impatient = new ExperimentThreads({ graceMs: 0 });
  expect((await cancelled(long, impatient)).at(-1)).toEqual({
    kind: 'ended',
    how: 'cancelled',
    why: 'cancelled',
  });
  expect((await carryOut(scenario, 'virtual', impatient)).last).toEqual({
    kind: 'ended',
    how: 'completed',
    why: null,
  });
  expect(started).toBe(2);
});

test('an experiment that comes while an idle thread is being ended gets another thread', async () => {
  const idleMs = 20;
  const restless = new ExperimentThreads({ idleMs });
  for (let late = -2; late <= 5; late++) {
    const { last } = await carryOut(scenario, 'virtual', restless);
    expect(last, `${late} ms after the end of the rest`).toEqual({
      kind: 'ended',
      how: 'completed',
      why: null,
    });
    await sleep(idleMs + late);
  }
});
