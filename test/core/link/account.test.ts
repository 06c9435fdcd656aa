import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LinkAccount } from '../../../src/core/link/account.ts';
import { type Bucket, fullBucket, reserve, reserveRow } from '../../../src/core/link/bucket.ts';

const rows = fc.array(
  fc.record({
    restNs: fc.nat({ max: 2_000_000 }),
    count: fc.nat({ max: 300 }),
    bytes: fc.constantFrom(16, 4_096, 4_112),
  }),
  { maxLength: 6 },
);

// Of some of these rates a portion of each size takes whole nanoseconds, of others none does.
const rates = fc.constantFrom(1_000_000, 6_250_000, 125_000_000, 1_234_567);

test('what is written down of a link is the same whether portions are told in rows or one by one', () => {
  fc.assert(
    fc.property(rows, rates, fc.integer({ min: 1, max: 5 }), (parts, rate, portions) => {
      const depth = portions * 4_112;
      let bucket: Bucket = fullBucket(rate, depth, 0);
      const inRows = begun(depth, rate);
      const oneByOne = begun(depth, rate);
      let now = 0;
      for (const { restNs, count, bytes } of parts) {
        now += restNs;
        for (const account of [inRows, oneByOne]) account.begins(now);
        const instants = new Float64Array(count);
        let before = bucket;
        bucket = reserveRow(bucket, now, bytes, instants);
        inRows.departedRow(instants, bytes, rate);
        for (const at of instants) {
          oneByOne.departed(at, bytes, before);
          before = reserve(before, at, bytes).next;
        }
        now = instants.at(-1) ?? now;
      }
      const { utilisation, lateNs, ...rest } = inRows.record(0);
      const { utilisation: expected, lateNs: lateOneByOneNs, ...others } = oneByOne.record(0);
      expect(rest).toEqual(others);
      // One by one the last nanosecond of a wait counts as lost.
      expect(utilisation ?? 1).toBeCloseTo(expected ?? 1, 3);
      expect(lateOneByOneNs - lateNs).toBeLessThanOrEqual(parts.reduce((sum, { count }) => sum + count, 0));
    }),
    { numRuns: 100 },
  );
});

function begun(depth: number, rate: number): LinkAccount {
  const account = new LinkAccount(depth, 0);
  account.rateChanges(0, 0, rate);
  return account;
}
