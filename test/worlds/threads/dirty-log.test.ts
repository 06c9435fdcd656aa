import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { DirtyLog } from '../../../src/worlds/threads/dirty-log.ts';

describe('one write against one send of the same page', () => {
  /** Every way to interleave two sequences, each keeping its own order. */
  function interleavings<T>(one: readonly T[], other: readonly T[]): T[][] {
    if (one.length === 0 || other.length === 0) return [[...one, ...other]];
    return [
      ...interleavings(one.slice(1), other).map((rest) => [one[0]!, ...rest]),
      ...interleavings(one, other.slice(1)).map((rest) => [other[0]!, ...rest]),
    ];
  }

  type Operation = 'write' | 'mark' | 'clear' | 'copy';

  /** Whether the write is lost for good: neither in the copy, nor marked to be sent again. */
  function loses(operations: readonly Operation[]): boolean {
    const log = new DirtyLog(1);
    log.mark(0);
    let memory = 'old';
    let copied = '';
    for (const operation of operations) {
      if (operation === 'write') memory = 'new';
      else if (operation === 'mark') log.mark(0);
      else if (operation === 'clear') log.clear(0);
      else copied = memory;
    }
    return copied !== 'new' && !log.read().has(0);
  }

  test('write-then-mark against clear-then-copy loses it in none of the six interleavings', () => {
    const all = interleavings<Operation>(['write', 'mark'], ['clear', 'copy']);
    expect(all).toHaveLength(6);
    expect(all.filter(loses)).toEqual([]);
  });

  test('each of the two orders is needed: turned round, either loses writes', () => {
    expect(interleavings<Operation>(['write', 'mark'], ['copy', 'clear']).filter(loses)).not.toEqual([]);
    expect(interleavings<Operation>(['mark', 'write'], ['clear', 'copy']).filter(loses)).not.toEqual([]);
  });
});

test('hammered from another thread, no write is lost', async () => {
  const PAGES = 4;
  const WORDS_PER_PAGE = 2048;
  const BOUTS = 1_000;
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
      log.clear(page);
      arrived.set(words.subarray(start, start + WORDS_PER_PAGE), start);
    }
  };
  let lost = 0;
  for (let bout = 1; bout <= BOUTS; bout++) {
    Atomics.store(gate, 0, bout);
    Atomics.notify(gate, 0);
    while (Atomics.load(gate, 1) < bout) sendMarked();
    sendMarked();
    if (Buffer.compare(Buffer.from(memory), Buffer.from(arrived.buffer)) !== 0) lost += 1;
  }
  await ended;
  expect(lost).toBe(0);
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
