import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { FileMemory } from '../../src/observe/file-memory.ts';
import { type RecordingProgress, record } from '../../src/observe/recorder.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
const ram = join(folder, 'ram');
const content = Buffer.alloc(40 * 4_096);

beforeEach(() => writeFileSync(ram, content));
afterAll(() => rmSync(folder, { recursive: true }));

/** Changes a byte of these pages. */
function write(pages: readonly number[]): void {
  for (const page of pages) content[page * 4_096 + 9]!++;
  writeFileSync(ram, content, { flag: 'r+' });
}

describe('a recording', () => {
  test('has each write in the sample after it, and every sample is taken or counted as missed', async () => {
    const memory = new FileMemory(ram);
    const writes = [[3, 17], [], [0, 1, 2], [39], [17]];
    const progress: RecordingProgress[] = [];
    const { samples, numbers, ...recorded } = await record(memory, {
      ...{ forNs: 300e6, intervalNs: 10e6, signal: new AbortController().signal },
      sampled: (now) => {
        progress.push(now);
        write(writes[progress.length - 1] ?? []);
      },
    });
    memory.close();
    expect(samples.length + recorded.missedSamples).toBe(30);
    const seen = samples.map(({ changed }) => [...changed].map((place) => numbers.numberAt[place]));
    expect(seen.slice(0, writes.length + 1)).toEqual([[], ...writes].slice(0, samples.length));
    expect(seen.slice(writes.length + 1).flat()).toEqual([]);
    expect(numbers.pages).toBe(40);
    expect(progress.map(({ changed }) => changed)).toEqual(samples.map(({ changed }) => changed));
    const times = samples.map(({ atNs }) => atNs);
    expect(times.toSorted((one, other) => one - other)).toEqual(times);
    expect(recorded).toMatchObject({ appearedPages: 0, vanishedPages: 0, failedReads: 0, leftOut: [] });
  });

  test('keeps what it has when it is ended early', async () => {
    const memory = new FileMemory(ram);
    const ended = new AbortController();
    let seen = 0;
    const { samples } = await record(memory, {
      ...{ forNs: 3_600e9, intervalNs: 5e6, signal: ended.signal },
      sampled: () => {
        if (++seen === 3) ended.abort();
      },
    });
    memory.close();
    expect(samples.length).toBe(3);
  });

  test('has a sample at least, however early it is ended', async () => {
    const memory = new FileMemory(ram);
    const options = { forNs: 3_600e9, intervalNs: 1_000e9, signal: AbortSignal.abort() };
    const { samples } = await record(memory, options);
    memory.close();
    expect(samples.length).toBe(1);
    expect(samples[0]!.atNs).toBeGreaterThan(0);
  });

  test('fails with its memory, and says how far it came', async () => {
    const memory = new FileMemory(ram);
    const sampled = () => writeFileSync(ram, content.subarray(4_096));
    const options = { forNs: 3_600e9, intervalNs: 5e6, signal: new AbortController().signal, sampled };
    await expect(record(memory, options)).rejects.toThrow(
      /changed its size from 160 KiB to 156 KiB.*\(after .* of .*; nothing was written\)/,
    );
    memory.close();
  });
});
