import { expect, test } from 'vitest';
import { fuzzed, kinds } from './fixtures/fuzzed-inputs.ts';

const INPUTS = 5_000;

test.each(kinds.map((kind) => [kind.name, kind] as const))(
  '%s, spoilt in any way, are taken or refused, and take no more memory than they may',
  async (_, kind) => {
    const { faults, aboveIdleBytes } = await fuzzed(kind, Math.round(kind.share * INPUTS), 100_000);
    expect(faults).toEqual([]);
    expect(aboveIdleBytes).toBeLessThan(256 * 2 ** 20);
  },
  600_000,
);
