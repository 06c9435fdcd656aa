import { expect, test } from 'vitest';
import { freeCpu } from '../../../src/core/cpu/cpu-plan.ts';
import { besideReserved } from '../../../src/core/migration/achieved-rate.ts';
import { migratedThrough } from '../../fixtures/migrated-through.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const { guest, plan } = smallSetup({
  guest: { pages: 4_000, program: { kind: 'classes', classes: [{ pages: 400, writesPerSecond: 40 }] } },
  plan: { verify: 'checksums', observeNs: 0, pages: 4_000 },
});

/** Over a wire that carries this part of what is reserved. */
function migratedOver(part: number) {
  return migratedThrough({ guest, plan, cpu: freeCpu }, ({ way, bytes }, wire) => {
    if (part < 1) wire.slow(part * plan.rateBytesPerSecond!);
    wire.send(way, bytes);
  });
}

test('a wire that carries 60 % of what is reserved is told, with the rate that was achieved live and at the stop', async () => {
  const result = await migratedOver(0.6);
  expect(result.outcome).toBe('completed');
  for (const { phase, achievedBytesPerSecond: rate, reservedBytesPerSecond: reserved } of besideReserved(
    plan,
    result.achieved,
  )) {
    expect(rate! / reserved!, phase).toBeGreaterThan(0.45);
    expect(rate! / reserved!, phase).toBeLessThan(0.7);
  }
  expect(result.notes).toContainEqual(
    expect.stringMatching(/^Of the 100 Mbit\/s reserved for the live rounds, the link carried \d\d %\.$/),
  );
  expect(result.notes).toContainEqual(
    expect.stringMatching(/^Of the 100 Mbit\/s reserved for the stop, the link carried \d\d %\.$/),
  );
});

test('a wire that carries what is reserved is not, however late the sender comes', async () => {
  const { outcome, notes } = await migratedOver(1);
  expect(outcome).toBe('completed');
  expect(notes.filter((note) => note.includes('the link carried'))).toEqual([]);
});
