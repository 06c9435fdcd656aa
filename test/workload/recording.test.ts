import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/platform/failure.ts';
import { parseRecording } from '../../src/workload/recording.ts';
import { trace } from '../../src/workload/trace.ts';

const header = { format: 'dirty-trace/1', pages: 10, pageSizeBytes: 4_096, samples: 2 };
const good = [header, [10, [3, 9]], [20, [0]]];

const packed = (lines: readonly unknown[]) =>
  gzipSync(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
const parse = (lines: readonly unknown[]) => parseRecording(packed(lines), 'vlc.gz');

describe('a recording', () => {
  test('is its writes in the order of time, a sample’s spread over the interval that it closes', () => {
    expect(parse([{ ...header, samples: 3 }, [10, [3, 9]], [20, []], [40, [0, 1, 2, 3]]])).toEqual({
      pages: 10,
      pageSizeBytes: 4_096,
      durationNs: 40e6,
      writeAtNs: Float64Array.of(5e6, 10e6, 25e6, 30e6, 35e6, 40e6),
      writePages: Uint32Array.of(3, 9, 0, 1, 2, 3),
    });
  });

  test('may end with or without an end of line', () => {
    const text = good.map((line) => JSON.stringify(line)).join('\n');
    expect(parseRecording(gzipSync(text), 'x')).toEqual(parseRecording(gzipSync(`${text}\n`), 'x'));
  });

  test('has its writes in ascending time, none after its end, as many as were recorded', () => {
    const sample = fc.tuple(
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.nat({ max: 9 }), { maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 20 }), (samples) => {
        let atMs = 0;
        const lines = samples.map(([stepMs, pages]) => [(atMs += stepMs), pages]);
        const { writeAtNs, writePages, durationNs } = parse([{ ...header, samples: lines.length }, ...lines]);
        expect(writePages.length).toBe(samples.reduce((sum, [, pages]) => sum + pages.length, 0));
        expect(writeAtNs.toSorted()).toEqual(writeAtNs);
        expect(durationNs).toBe(atMs * 1e6);
        expect(writeAtNs.every((atNs) => 0 < atNs && atNs <= durationNs)).toBe(true);
      }),
    );
  });

  // (t · 3) / 3 is not always t: this write comes after the end of its recording.
  test('has the last write of a sample at the very instant of the sample', () => {
    const { writeAtNs, durationNs } = parse([{ ...header, samples: 1 }, [60.16116722137453, [0, 0, 0]]]);
    expect(writeAtNs.at(-1)).toBe(durationNs);
  });

  test('writes each page as often as it says', () => {
    const recording = packed([{ ...header, samples: 2 }, [500, [3, 3, 9]], [2_000, [3]]]);
    const spec = { kind: 'trace', recording: recording.toString('base64') } as const;
    const activity = trace.activity(spec, { pages: 12, zeroPages: 0, seed: 1 });
    const expected = new Float64Array(12);
    expected[3] = 1.5;
    expected[9] = 0.5;
    expect(activity.kind === 'timeline' && activity.writesPerSecond()).toEqual(expected);
  });

  test('each one in traces/ is whole', () => {
    const folder = resolve(import.meta.dirname, '../../traces');
    const files = readdirSync(folder).filter((file) => file.endsWith('.gz'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const { pages, writePages, durationNs } = parseRecording(readFileSync(join(folder, file)), file);
      expect(writePages.length, file).toBeGreaterThan(1_000);
      expect(durationNs, file).toBeGreaterThan(1e9);
      expect(
        writePages.every((page) => page < pages),
        file,
      ).toBe(true);
    }
  });
});

describe('damage is a failure that says where', () => {
  const expectFailure = (action: () => unknown, message: string) => {
    expect(action).toThrow(Failure);
    expect(action).toThrow(message);
  };

  test('a file cut short at any byte', () => {
    const whole = packed(good);
    for (let length = 0; length < whole.length; length++) {
      expectFailure(() => parseRecording(whole.subarray(0, length), 'vlc.gz'), 'vlc.gz');
    }
    expectFailure(() => parseRecording(whole.subarray(0, -1), 'vlc.gz'), 'vlc.gz: not a whole gzip file (');
  });

  test('a byte changed on the way', () => {
    const whole = packed(good);
    // The header of gzip holds ten bytes that say nothing of the content.
    for (let byte = 10; byte < whole.length; byte++) {
      const damaged = Uint8Array.from(whole);
      damaged[byte]! ^= 0x10;
      expectFailure(() => parseRecording(damaged, 'vlc.gz'), 'vlc.gz');
    }
  });

  test('a few hundred kilobytes that unfold to 250 million empty lines, which once ended the process', () => {
    const bomb = gzipSync(Buffer.alloc(250_000_000, '\n'));
    expect(bomb.length).toBeLessThan(400_000);
    expect(() => parseRecording(bomb, 'bomb')).toThrow(
      'bomb: expected at most 64 MiB once unpacked, found more',
    );
  });

  test('more writes than a recording may have', () => {
    const sample = JSON.stringify([10, new Array(2 ** 21).fill(0)]);
    const many = [{ ...header, samples: 4 }, ...new Array<string>(4).fill(sample)];
    expect(() => parse(many)).toThrow('vlc.gz: expected at most 6000000 writes, found more');
  });

  test.each<[string, string, string]>([
    [
      'a line of 60 MB',
      `[10,[0${',0'.repeat(30e6)}]]`,
      'vlc.gz: expected lines of at most 8 MiB, found more',
    ],
    ['millions of objects', `[10,[{}${',{}'.repeat(2e6)}]]`, 'vlc.gz:2: expected [milliseconds, [page, …]]'],
    ['millions of lists', `[10,[[]${',[]'.repeat(2e6)}]]`, 'vlc.gz:2: expected [milliseconds, [page, …]]'],
    ['lists in lists', '['.repeat(8e6), 'vlc.gz:2: expected [milliseconds, [page, …]]'],
  ])('%s instead of a sample, before they take fifty times its room', (_, line, message) => {
    const before = process.memoryUsage().heapUsed;
    expectFailure(() => parse([header, line]), message);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(128e6);
  });

  test('a million samples, or a header of megabytes', () => {
    const empty = `${JSON.stringify(header)}\n${'[1,[]]\n'.repeat(1_000_001)}`;
    expectFailure(
      () => parseRecording(gzipSync(empty), 'vlc.gz'),
      'vlc.gz: expected at most 1000000 samples',
    );
    const long = [{ ...header, source: 'x'.repeat(1e6) }];
    expectFailure(() => parse(long), 'vlc.gz:1: expected a header of at most 64 KiB, found more');
  });

  test('no gzip at all', () => {
    expectFailure(() => parseRecording(Buffer.from('{}'), 'vlc.gz'), 'vlc.gz: not a whole gzip file (');
  });

  test.each<[string, readonly unknown[], string]>([
    ['nothing', [], 'vlc.gz:1: not JSON'],
    ['a header that is no JSON', ['{"format":', [10, []]], 'vlc.gz:1: not JSON'],
    [
      'another format',
      [{ ...header, format: 'dirty-trace/2' }],
      'vlc.gz:1: expected the format dirty-trace/1',
    ],
    ['no header', [null], 'vlc.gz:1: expected the format dirty-trace/1'],
    ['no pages', [{ ...header, pages: 0 }], 'vlc.gz:1: pages, pageSizeBytes and samples must be'],
    ['half a page', [{ ...header, pages: 1.5 }], 'vlc.gz:1: pages, pageSizeBytes and samples must be'],
    [
      'a size in words',
      [{ ...header, pageSizeBytes: '4KiB' }],
      'vlc.gz:1: pages, pageSizeBytes and samples must be',
    ],
    [
      'no number of samples',
      [{ ...header, samples: undefined }],
      'vlc.gz:1: pages, pageSizeBytes and samples must be',
    ],
    [
      'a line that is no JSON',
      [header, [10, [3]], '[20,[0]'],
      'vlc.gz:3: expected [milliseconds, [page, …]]',
    ],
    ['an empty line', [header, [10, [3]], ''], 'vlc.gz:3: expected [milliseconds, [page, …]]'],
    ['numbers that are none', [header, '[1,[1-2]]'], 'vlc.gz:2: not JSON'],
    ['a sample without pages', [header, [10]], 'vlc.gz:2: expected [milliseconds, [page, …]]'],
    ['a sample without time', [header, [null, [3]]], 'vlc.gz:2: expected [milliseconds, [page, …]]'],
    ['a sample that is a number', [header, 5], 'vlc.gz:2: expected [milliseconds, [page, …]]'],
    [
      'a page past the last',
      [header, [10, [3]], [20, [9, 10]]],
      'vlc.gz:3: page 10, but the recording has 10 pages',
    ],
    ['a negative page', [header, [10, [-1]]], 'vlc.gz:2: page -1, but the recording has 10 pages'],
    ['half a page number', [header, [10, [1.5]]], 'vlc.gz:2: page 1.5, but the recording has 10 pages'],
    ['time that runs backwards', [header, [10, [1]], [9.9, [1]]], 'vlc.gz:3: time runs backwards'],
    ['a negative time', [header, [-1, [1]]], 'vlc.gz:2: time runs backwards'],
    ['too few samples', [header, [10, [1]]], 'vlc.gz: the header says 2 samples, the file has 1'],
    [
      'too many samples',
      [header, [1, []], [2, []], [3, []]],
      'vlc.gz: the header says 2 samples, the file has 3',
    ],
    ['no time at all', [header, [0, [1]], [0, [2]]], 'vlc.gz: the recording has no duration'],
  ])('%s', (_, lines, message) => {
    expectFailure(() => parse(lines), message);
  });
});
