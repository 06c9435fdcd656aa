import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { WireError } from '../../src/core/wire/frames.ts';
import { FrameReader } from '../../src/transport/frame-reader.ts';
import { heard, mutated, recorded } from '../fixtures/hostile-stream.ts';

const named = (end: string, keyed: boolean) => `${end}${keyed ? ' with a key' : ''}`;

describe.each(
  recorded.map((recording) => [named(recording.end, recording.keyed), recording] as const),
)('what a %s hears', (_, recording) => {
  test('is accepted as it was recorded, in any chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (sizes) => {
        const stream = Buffer.concat(recording.frames);
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        expect(heard(recording, chunks)).toBe('accepted');
      }),
    );
  });

  test('mutated, is accepted or ends in a WireError, never in anything else', () => {
    const ends = new Set<string>();
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        ends.add(heard(recording, mutated(Random.seeded(seed), recording)));
      }),
      { numRuns: 10_000 },
    );
    expect(ends.size).toBeGreaterThan(30);
  });
});

test('any bytes at all are frames or a WireError, and take no more room than they are', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (chunks) => {
      const reader = new FrameReader(() => {});
      try {
        for (const chunk of chunks) reader.read(Buffer.from(chunk));
        reader.end();
      } catch (cause) {
        expect(cause).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 10_000 },
  );
});
