import { expect, test } from 'vitest';
import { fuzzed, kinds } from './fixtures/fuzzed-inputs.ts';

const INPUTS = 3_000;

test.each(
  kinds.map((kind) => [kind.name, kind] as const),
)('%s, spoilt in any way, are taken or refused, and nothing else', async (_, kind) => {
  const { faults, outcomes } = await fuzzed(kind, Math.round(kind.share * INPUTS), 1);
  expect(faults).toEqual([]);
  // Neither all right nor all wrong: what is tried reaches what reads it.
  expect(outcomes.size).toBeGreaterThan(1);
});
