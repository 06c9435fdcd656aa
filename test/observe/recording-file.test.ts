import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordingSummary } from '../../src/observe/recorder.ts';
import { encodeRecording } from '../../src/observe/recording-file.ts';
import { parseRecording } from '../../src/workload/recording.ts';

function recorded(samples: RecordingSummary['samples'], numberAt: Uint32Array): RecordingSummary {
  return {
    source: 'a "program"',
    method: 'content-diff',
    lowerBound: 'what it misses',
    pageSizeBytes: 4_096,
    startedAt: '2026-01-01T00:00:00.000Z',
    intervalNs: 40e6,
    samples,
    numbers: { pages: numberAt.length, numberAt },
    missedSamples: 3,
    scansNs: [1e6, 9e6, 2e6],
    cpuShare: 0.12345,
    appearedPages: 1,
    vanishedPages: 2,
    failedReads: 0,
    leftOut: [],
  };
}

describe('a recording on its way to a file', () => {
  test('is read back as it was taken, page numbers ascending in each sample', () => {
    const sample = fc.record({
      stepNs: fc.integer({ min: 1_000, max: 1e9 }),
      changed: fc.uniqueArray(fc.nat({ max: 9 })),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 9 }), (steps) => {
        let atNs = 0;
        const samples = steps.map(({ stepNs, changed }) => ({
          atNs: (atNs += stepNs),
          changed: Uint32Array.from(changed),
        }));
        const numberAt = Uint32Array.of(4, 5, 6, 7, 8, 9, 0, 1, 2, 3);
        const recording = parseRecording(encodeRecording(recorded(samples, numberAt)), 'x');
        expect(recording.pages).toBe(10);
        expect([...recording.writePages]).toEqual(
          samples.flatMap(({ changed }) => [...changed.map((place) => numberAt[place]!)].sort()),
        );
        expect(Math.abs(recording.durationNs - atNs)).toBeLessThan(1_000);
      }),
    );
  });

  test('says how it was taken, what it cost and what it lacks', () => {
    const bytes = encodeRecording(
      recorded([{ atNs: 40e6, changed: Uint32Array.of(0) }], Uint32Array.of(0, 1)),
    );
    expect(JSON.parse(gunzipSync(bytes).toString().split('\n')[0]!)).toMatchObject({
      ...{ format: 'dirty-trace/1', source: 'a "program"', method: 'content-diff', intervalMs: 40 },
      ...{ pages: 2, pageSizeBytes: 4_096, samples: 1, missedSamples: 3, cpuShare: 0.123 },
      ...{
        scanMs: { median: 2, most: 9 },
        appearedPages: 1,
        vanishedPages: 2,
        failedReads: 0,
        leftOut: [],
      },
      lowerBound: 'what it misses',
    });
  });
});
