import { afterAll, describe, expect, test } from 'vitest';
import { FaultCases } from './every-phase.ts';
import { isLate } from './phases.ts';

const faults = new FaultCases(isLate);
afterAll(async () => console.log(await faults.end()));

describe.concurrent('whatever happens from the last byte on, one runner, nothing lost, nothing left', () => {
  test.each(faults.cases)('$fault.name: $phase', { timeout: 240_000 }, async ({ fault, phase }) => {
    expect(fault.allowed(phase)).toContain(await faults.carryOut(fault, phase));
  });
});
