import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamDigest } from '../../src/transport/stream-digest.ts';

const migration = '4a0e3f5e-98cd-4f1a-9a64-4b6d3cf3d5a1';
const digest = (key: Uint8Array | null = null, name = migration) => new StreamDigest(name, key);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 5_000 });

describe('the digests of a stream', () => {
  test('are the same at both ends, however the bytes are cut', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), (all, place) => {
        const [one, other] = [digest(), digest()];
        const cut = place % all.length;
        one.add(all);
        for (const piece of [all.subarray(0, cut), all.subarray(cut)]) other.add(piece);
        expect(one.take()).toEqual(other.take());
        expect(one.end(5e9, true)).toEqual(other.end(5e9, true));
      }),
    );
  });

  test('are others for any other byte, key, migration, place in the row, clock or pause', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, place, flip) => {
        const changed = Buffer.from(all);
        changed[place % all.length]! ^= flip;
        const first = (of: Uint8Array, by = digest()) => {
          by.add(of);
          return by;
        };
        const second = digest();
        second.take();
        const all16 = [
          first(all).take(),
          first(changed).take(),
          first(all, digest(Buffer.alloc(32, 1))).take(),
          first(all, digest(null, migration.replace('4', '5'))).take(),
          first(all, second).take(),
          first(all).end(1, false),
          first(all).end(2, false),
          first(all).end(1, true),
        ].map((one) => one.toString('hex'));
        expect(new Set(all16).size).toBe(all16.length);
      }),
      { numRuns: 20 },
    );
  });
});
