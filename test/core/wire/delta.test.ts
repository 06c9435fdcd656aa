import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDelta, encodeDelta } from '../../../src/core/wire/delta.ts';
import { WireError } from '../../../src/core/wire/frames.ts';

const WORDS = 128;
const few = fc.integer({ min: 0, max: 3 });
const words = (size: number) => fc.array(few, { minLength: size, maxLength: size });

function bytesOf(values: Uint32Array, length = values.length): Uint8Array {
  return new Uint8Array(values.buffer, 0, 4 * length);
}

describe('a delta', () => {
  test('makes the earlier page the later one, or is no shorter than the page', () => {
    fc.assert(
      fc.property(words(WORDS), words(WORDS), fc.nat(WORDS), (one, other, same) => {
        const before = Uint32Array.from(one);
        const after = Uint32Array.from(other);
        after.set(before.subarray(0, same));
        const into = new Uint32Array(WORDS);
        const length = encodeDelta(before, after, into);
        const changed = after.filter((word, index) => word !== before[index]).length;
        if (length === null) {
          expect(2 * changed).toBeGreaterThan(WORDS);
          return;
        }
        // A run that changes costs a word besides.
        expect(length).toBeGreaterThanOrEqual(changed);
        expect(length).toBeLessThanOrEqual(2 * changed);
        applyDelta(new DataView(before.buffer), bytesOf(into, length));
        expect(before).toEqual(after);
      }),
    );
  });

  test('of a page of a MiB says in several turns what 16 bits cannot', () => {
    const [before, after] = [new Uint32Array(2 ** 18), new Uint32Array(2 ** 18)];
    after.fill(7, 100_000);
    const into = new Uint32Array(2 ** 18);
    const length = encodeDelta(before, after, into)!;
    applyDelta(new DataView(before.buffer), bytesOf(into, length));
    expect(before).toEqual(after);
    after[2 ** 18 - 1] = 8;
    expect(encodeDelta(before, after, into)).toBeLessThan(10);
  });

  test('that does not fit its page is refused, and nothing beyond the page is touched', () => {
    const frame = fc.uint8Array({ maxLength: 64 });
    const turns = fc.array(fc.oneof(few, fc.constantFrom(0x0001_0000, 0x0001_007f, 0x0002_007f)), {
      maxLength: 8,
    });
    const bytes = fc.oneof(
      frame,
      turns.map((turn) => bytesOf(Uint32Array.from(turn))),
    );
    fc.assert(
      fc.property(bytes, (delta) => {
        const memory = new Uint8Array(3 * 4 * WORDS);
        try {
          applyDelta(new DataView(memory.buffer, 4 * WORDS, 4 * WORDS), delta);
        } catch (cause) {
          expect(cause).toBeInstanceOf(WireError);
        }
        expect(memory.subarray(0, 4 * WORDS).every((byte) => byte === 0)).toBe(true);
        expect(memory.subarray(8 * WORDS).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });
});
