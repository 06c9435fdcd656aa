import { afterAll, describe, expect, test } from 'vitest';
import { carryOut } from './case.ts';
import { faults } from './faults.ts';
import { Lanes } from './lanes.ts';
import { type Phase, phases } from './phases.ts';
import { faultTable, type Row } from './table.ts';

const lanes = new Lanes(3);
const rows: Row[] = [];
/** FAULTS=all: every fault in every phase. Otherwise at the commit, and in one other. */
const isExhaustive = process.env.FAULTS === 'all';
const cases = faults.flatMap((fault, row) => {
  const its = phases.filter((phase) => fault.allowed(phase).length > 0);
  const isChosen = (phase: Phase) => isExhaustive || phase === 'commit' || phase === its[row % its.length];
  return its.filter(isChosen).map((phase) => ({ fault, phase }));
});

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
