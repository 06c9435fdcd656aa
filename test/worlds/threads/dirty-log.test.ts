import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { DirtyLog } from '../../../src/worlds/threads/dirty-log.ts';

const PAGES = 4;
const WORDS_PER_PAGE = 2048;
const BOUTS = 4_000;

/** Copies pages while a thread writes them; after each bout of writing, copies what is marked and compares. */
async function boutsThatLostAWrite(send: (log: DirtyLog, page: number, copy: () => void) => void) {
  const memory = new SharedArrayBuffer(PAGES * WORDS_PER_PAGE * 4);
  const words = new Int32Array(memory);
  const arrived = new Int32Array(words.length);
  const log = new DirtyLog(PAGES);
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const writer = new Worker(new URL('../../fixtures/hammer-worker.mjs', import.meta.url), {
    workerData: {
      memory,
      dirty: log.buffer,
      gate: gate.buffer,
      pages: PAGES,
      wordsPerPage: WORDS_PER_PAGE,
      bouts: BOUTS,
    },
  });
  const ended = once(writer, 'exit');
  const sendMarked = () => {
    for (const page of log.read().toArray()) {
      const start = page * WORDS_PER_PAGE;
      send(log, page, () => arrived.set(words.subarray(start, start + WORDS_PER_PAGE), start));
    }
  };
  await once(writer, 'online');
  let lost = 0;
  for (let bout = 1; bout <= BOUTS; bout++) {
    Atomics.store(gate, 0, bout);
    while (Atomics.load(gate, 1) < bout) sendMarked();
    sendMarked();
    if (Buffer.compare(Buffer.from(memory), Buffer.from(arrived.buffer)) !== 0) lost += 1;
    arrived.set(words);
  }
  await ended;
  return lost;
}

test('clear-then-copy against write-then-mark loses no write', async () => {
  const lost = await boutsThatLostAWrite((log, page, copy) => {
    log.clear(page);
    copy();
  });
  expect(lost).toBe(0);
});

test('copy-then-clear loses writes, so the hammer hits', async () => {
  const lost = await boutsThatLostAWrite((log, page, copy) => {
    copy();
    log.clear(page);
  });
  expect(lost).toBeGreaterThan(0);
});

test('marks are taken exactly once', () => {
  const log = new DirtyLog(70);
  log.mark(0);
  log.mark(69);
  expect([...log.take().toArray()]).toEqual([0, 69]);
  expect(log.take().count()).toBe(0);
  log.markAll();
  expect(log.read().count()).toBe(70);
  log.clear(31);
  expect(log.read().has(31)).toBe(false);
  expect(log.read().count()).toBe(69);
});
