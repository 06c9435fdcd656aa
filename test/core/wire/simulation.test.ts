import { describe, expect, test } from 'vitest';
import { type Rules, soundRules } from './rules.ts';
import { simulate } from './simulator.ts';

/** Each of the faults below shows in far fewer. */
const SCHEDULES = 20_000;

test('the same seed is the same schedule', () => {
  expect(simulate(11, soundRules, true)).toEqual(simulate(11, soundRules, true));
});

const twoRunners = 'the guest runs at both ends';
const stale = 'the guest starts at the source with memory that is not its own';

describe('the simulation sees what goes wrong', () => {
  const broken: [string, Partial<Rules>, string][] = [
    ['the source sends commit before its entry is synced', { sourceSyncsCommit: false }, twoRunners],
    ['the destination runs the guest at ready', { destinationWaitsForCommit: false }, twoRunners],
    ['the destination runs the guest before its entry is synced', { destinationSyncsCommit: false }, stale],
    ['the source resumes after it sent commit', { sourceKeepsStoppedAfterCommit: false }, twoRunners],
    [
      'the destination answers before it hangs up on the old connection',
      { destinationHangsUpBeforeItAnswers: false },
      twoRunners,
    ],
    ['recover settles what a living process is at', { recoverAsksWhoLives: false }, twoRunners],
    ['recover looks for the number of a process where it runs', { lifeIsProvedByASocket: false }, twoRunners],
    ['recover asks at a copy of the socket', { copiesAreRecognised: false }, twoRunners],
    [
      'recover takes a process that it cannot ask for one that has ended',
      { unknownIsNotEnded: false },
      twoRunners,
    ],
    [
      'recover reads the journals and then asks who lives',
      { lifeIsAskedBeforeReading: false },
      'a journal out of order',
    ],
    ['recover reads the last lines of damaged journals', { journalsAreCheckedWhole: false }, stale],
  ];

  test.each(broken)('when %s', (_, rules, what) => {
    expect(isSeen(what, { ...soundRules, ...rules })).toBe(true);
  });
});

function isSeen(what: string, rules: Rules): boolean {
  for (let seed = 0; seed < SCHEDULES; seed++) if (simulate(seed, rules).violation === what) return true;
  return false;
}
