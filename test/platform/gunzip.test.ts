import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gunzip } from '../../src/platform/gunzip.ts';

const text = Buffer.from('a page, and another page; '.repeat(10_000));
const whole = gzipSync(text);

test('unpacks what was packed, the beginning of it, and of several packed texts all', () => {
  expect(gunzip(whole, 1e6)).toEqual(text);
  expect(gunzip(Buffer.concat([whole, whole]), 1e6)).toEqual(Buffer.concat([text, text]));
  const part = gunzip(whole.subarray(0, 200), 1e6, true);
  expect(part.length).toBeGreaterThan(0);
  expect(text.subarray(0, part.length)).toEqual(part);
});

test('refuses what is damaged, cut short or too much', () => {
  expect(() => gunzip(whole.subarray(0, -1), 1e6)).toThrow('unexpected end of file');
  expect(() => gunzip(Buffer.from('nonsense'), 1e6)).toThrow('incorrect header check');
  expect(() => gunzip(Buffer.alloc(0), 1e6)).toThrow('unexpected end of file');
  expect(() => gunzip(whole, 1_000)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }));
});

test('keeps no memory of what was damaged', async () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let times = 0; times < 400; times++) {
    expect(() => gunzip(whole.subarray(0, -9), 1e6)).toThrow();
    await setImmediate();
  }
  // As much as a few of them: the others have been collected, or the process would have a hundred megabytes more.
  const kept = process.memoryUsage().arrayBuffers - before;
  expect(kept).toBeLessThan(60e6);
});
