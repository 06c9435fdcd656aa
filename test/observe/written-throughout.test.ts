import { describe, expect, test } from 'vitest';
import { firstPages } from '../../src/core/migration/pages.ts';
import type { RecordingSummary } from '../../src/observe/recorder.ts';
import { encodeRecording } from '../../src/observe/recording-file.ts';
import { writtenThroughout } from '../../src/observe/written-throughout.ts';
import { parseRecording } from '../../src/workload/recording.ts';

function recorded(...samples: readonly (readonly number[])[]): RecordingSummary {
  return {
    ...{ source: 'x', method: 'test', lowerBound: '', startedAt: '', leftOut: [], scansNs: [0] },
    ...{ pageSizeBytes: 4096, intervalNs: 100e6, missedSamples: 0, cpuShare: 0 },
    ...{ appearedPages: 0, vanishedPages: 0, failedReads: 0 },
    numbers: { pages: 8, numberAt: firstPages(8) },
    samples: samples.map((pages, index) => ({ atNs: 100e6 * (index + 1), changed: Uint32Array.from(pages) })),
  };
}

describe('a page that was written within an interval', () => {
  const { writeAtNs, writePages, durationNs } = parseRecording(
    encodeRecording(writtenThroughout(recorded([3], [], [3, 5]))),
    'x',
  );
  const timesOf = (page: number) => [...writeAtNs].filter((_, index) => writePages[index] === page);

  test('is written ten times in it, at equal distances, and not in others', () => {
    const tens = (fromMs: number) =>
      Array.from({ length: 10 }, (_, index) => (fromMs + 10 * (index + 1)) * 1e6);
    expect(timesOf(5)).toEqual(tens(200));
    expect(timesOf(3).slice(0, 10)).toEqual(tens(0));
    expect(timesOf(3)).toHaveLength(20);
  });

  test('in a recording that is as long as it was', () => {
    expect(durationNs).toBe(300e6);
  });
});

test('a recording of many writes is repeated only as often as one can be read', () => {
  const many = Array.from({ length: 1_000_000 }, () => 1);
  const { samples } = writtenThroughout({
    ...recorded(many),
    samples: [{ atNs: 1e9, changed: Uint32Array.from(many) }],
  });
  expect(samples).toHaveLength(4);
});
