import { describe, expect, test } from 'vitest';
import type { End } from '../../../src/core/wire/handover.ts';
import {
  closings,
  durable,
  isClosing,
  type JournalEntry,
  journalEntries,
  ownership,
  ownershipTable,
  type Trail,
  type Trails,
} from '../../../src/core/wire/ownership.ts';

const dead = (last: JournalEntry): Trail => ({ last, life: 'has ended' });
const trailsOf = (source: JournalEntry | undefined, destination: JournalEntry | undefined): Trails => ({
  source: source && dead(source),
  destination: destination && dead(destination),
});
const sourceEntries = [undefined, ...journalEntries];
const destinationEntries = sourceEntries.filter((entry) => entry !== 'stopped');
const pairs = sourceEntries.flatMap((source) =>
  destinationEntries.map((destination) => trailsOf(source, destination)),
);

describe('the table', () => {
  test('has exactly one row for every pair of last entries', () => {
    for (const source of [...journalEntries, 'unknown'] as const) {
      for (const destination of [...journalEntries, 'unknown'] as const) {
        if (destination === 'stopped') continue;
        const rows = ownershipTable.filter(
          ({ when, and }) => when.includes(source) && and.includes(destination),
        );
        expect(rows, `${source}, ${destination}`).toHaveLength(1);
      }
    }
  });

  test('never lets both ends run the guest, and lets only the owner', () => {
    for (const trails of pairs) {
      const { owner, source, destination } = ownership(trails);
      expect(source === 'resume').toBe(owner === 'source');
      expect(destination === 'run').toBe(owner === 'destination');
    }
  });

  test('a destination without commit never runs the guest', () => {
    for (const trails of pairs) {
      const last = trails.destination?.last;
      if (last === undefined || ['commit', 'running', 'ended'].includes(last)) continue;
      expect(ownership(trails).destination, JSON.stringify(trails)).not.toBe('run');
    }
  });

  test('a source with commit resumes only where the destination’s journal shows that it never had it', () => {
    const resuming = pairs.filter(
      (trails) => trails.source?.last === 'commit' && ownership(trails).source === 'resume',
    );
    expect(resuming.map(({ destination }) => destination?.last)).toEqual(['ready', 'aborted']);
  });

  test('two generals: the source’s commit alone decides nothing, the destination’s does', () => {
    expect(ownership(trailsOf('commit', undefined)).owner).toBe('nobody yet known');
    expect(ownership(trailsOf(undefined, 'commit')).owner).toBe('destination');
  });
});

describe.each(['lives', 'unknown'] as const)('an end of which life is "%s"', (life) => {
  test('may still commit, so its entries before that decide nothing', () => {
    const destination: Trail = { last: 'ready', life };
    expect(ownership({ source: dead('commit'), destination }).owner).toBe('nobody yet known');
    expect(ownership({ source: { last: 'ready', life }, destination }).owner).toBe('nobody yet known');
  });

  test('has no entry written behind its back', () => {
    const destination: Trail = { last: 'ready', life };
    expect(closings({ source: dead('ready'), destination })).toEqual([{ end: 'source', entry: 'aborted' }]);
  });
});

describe('the closing entries', () => {
  test('settle: with them nothing remains to be done, and the owner is the same', () => {
    for (const trails of pairs) {
      const after = written(trails, closings(trails));
      expect(ownership(after).owner, JSON.stringify(trails)).toBe(ownership(trails).owner);
      expect(closings(after)).toEqual([]);
    }
  });

  test('may stop half-way, or be written from one journal alone, and the owner stays the same', () => {
    for (const trails of pairs) {
      const { owner, reason } = ownership(trails);
      if (reason.includes('contradict')) continue;
      expect(ownership(written(trails, closings(trails).slice(0, 1))).owner).toBe(owner);
      for (const end of ['source', 'destination'] as const) {
        const other: End = end === 'source' ? 'destination' : 'source';
        const alone = { source: undefined, destination: undefined, [end]: trails[end] };
        const byOne = { ...written(alone, closings(alone)), [other]: trails[other] };
        expect(ownership(byOne).owner, JSON.stringify(trails)).toBe(owner);
      }
    }
  });

  test('are durable at both ends', () => {
    for (const entry of journalEntries.filter(isClosing)) {
      expect(durable.source.has(entry) && durable.destination.has(entry)).toBe(true);
    }
  });
});

function written(trails: Trails, entries: ReturnType<typeof closings>): Trails {
  return { ...trails, ...Object.fromEntries(entries.map(({ end, entry }) => [end, dead(entry)])) };
}
