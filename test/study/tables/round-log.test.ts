import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/core/migration/plan.ts';
import { driveSync } from '../../../src/run/drive.ts';
import { roundLog } from '../../../src/study/tables/round-log.ts';
import { VirtualWorld } from '../../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../../fixtures/setup.ts';

/** The lines about a migration in virtual time, and its course. */
function logged(plan: Partial<Plan>) {
  const setup = smallSetup({ plan: { observeNs: 0, ...plan } });
  const world = new VirtualWorld(setup);
  const lines: string[] = [];
  const log = roundLog((line) => lines.push(line));
  return { lines, course: driveSync(setup.plan, world, log) };
}

const sentPages = (lines: readonly string[]) => lines.map((line) => Number(/: (\d+) pages/.exec(line)?.[1]));

describe('the log of rounds', () => {
  test.each([
    ['in one piece', { stop: { rule: 'rounds', rounds: 3 } }],
    [
      'in pieces, because pages that are dirty again are skipped',
      { skip: true, clear: 'round', stop: { rule: 'rounds', rounds: 3 } },
    ],
    ['in pieces, because the stop rule looks within them', { stop: { rule: 'downtime', limitNs: 20e6 } }],
    ['in chunks', { clear: { chunkPages: 16 }, stop: { rule: 'rounds', rounds: 2 } }],
  ] as const)('has a line for every round, sent %s, and one for the stop', (_, plan) => {
    const { lines, course } = logged(plan);
    expect(sentPages(lines)).toEqual([...course.rounds.map(({ sentPages }) => sentPages), course.stop.pages]);
    expect(lines.at(-1)).toMatch(/^ {2}stopped: /);
    expect(lines[0]).toMatch(/^ {2}round 1: \d+ pages in \d+(\.\d+)? ms \(\d+(\.\d+)? Mbit\/s\), \d+ dirty/);
  });

  test('says of a round that the stop rule ended that it was cut short', () => {
    const { lines, course } = logged({ stop: { rule: 'downtime', limitNs: 20e6 } });
    expect(lines.filter((line) => line.endsWith(', cut short'))).toHaveLength(1);
    expect(lines.at(-2)).toMatch(new RegExp(`round ${course.rounds.length}: .*, cut short$`));
  });
});
