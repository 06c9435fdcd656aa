import { afterAll, describe, expect, test } from 'vitest';
import { carryOut } from './case.ts';
import { faults } from './faults.ts';
import { Lanes } from './lanes.ts';
import { phases } from './phases.ts';
import { faultTable, type Row } from './table.ts';

const lanes = new Lanes(4);
const rows: Row[] = [];
const cases = faults.flatMap((fault) =>
  phases.filter((phase) => fault.allowed(phase).length > 0).map((phase) => ({ fault, phase })),
);

afterAll(async () => {
  await lanes.end();
  console.log(faultTable(rows));
});

describe.concurrent('whatever happens, one runner, nothing lost, nothing left', () => {
  test.each(cases)('$fault.name: $phase', { timeout: 240_000, retry: 1 }, async ({ fault, phase }) => {
    const { outcome, reason } = await lanes.use((lane) => carryOut(lane, fault, phase));
    rows.push({ fault: fault.name, phase, outcome, reason });
    expect(fault.allowed(phase)).toContain(outcome);
  });
});
