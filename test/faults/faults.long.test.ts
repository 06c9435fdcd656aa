import { afterAll, describe, expect, test } from 'vitest';
import { carryOut, NotReached } from './case.ts';
import { type Fault, faults } from './faults.ts';
import { Lanes } from './lanes.ts';
import { type Phase, phases } from './phases.ts';
import { faultTable, type Row } from './table.ts';

const lanes = new Lanes(4);
const rows: Row[] = [];
const MOST_TRIES = 3;
/** Every fault in every phase in which it is one. */
const cases = faults.flatMap((fault) =>
  phases.filter((phase) => fault.allowed(phase).length > 0).map((phase) => ({ fault, phase })),
);

afterAll(async () => {
  await lanes.end();
  console.log(faultTable(rows));
});

/** What was not reached is tried again; what must not be is never looked at twice. */
async function carriedOut(fault: Fault, phase: Phase): ReturnType<typeof carryOut> {
  for (let tries = MOST_TRIES; ; tries--) {
    try {
      return await lanes.use((lane) => carryOut(lane, fault, phase));
    } catch (cause) {
      if (!(cause instanceof NotReached) || tries === 1) throw cause;
    }
  }
}

describe.concurrent('whatever happens, one runner, nothing lost, nothing left', () => {
  test.each(cases)('$fault.name: $phase', { timeout: 240_000 }, async ({ fault, phase }) => {
    const { outcome, reason } = await carriedOut(fault, phase);
    rows.push({ fault: fault.name, phase, outcome, reason });
    expect(fault.allowed(phase)).toContain(outcome);
  });
});
