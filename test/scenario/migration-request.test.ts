import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/platform/problem.ts';
import { checked } from '../../src/scenario/checked.ts';
import {
  guestDefinition,
  guestDefinitionSchema,
  requestedMigration,
  requestedMigrationSchema,
} from '../../src/scenario/migration-request.ts';

const guest = { name: 'a', pages: 100, program: { kind: 'zipf', writesPerSecond: 1 } };
const reservation = { budget: '1ms', period: '10ms' };

function definition(more: object = {}) {
  return guestDefinition(checked(guestDefinitionSchema, { ...guest, ...more }, 'guest'), 'guests.0');
}

const shared = { name: 'uplink', capacityBytesPerSecond: 125e6 };

function migration(link: object, more: object = {}) {
  const document = checked(requestedMigrationSchema, { link, ...more }, 'body');
  return requestedMigration(document, definition().guest, null, shared);
}

function pathsOf(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (cause) {
    if (cause instanceof UsageError) return cause.problems.map(({ path }) => path);
    throw cause;
  }
  return [];
}

describe('a guest that is to live on a host', () => {
  test('has its reservation kept by a hard server unless it says otherwise', () => {
    expect(definition().reservation).toBeNull();
    const kept = { budgetNs: 1e6, periodNs: 10e6 };
    expect(definition({ reservation }).reservation).toEqual({ ...kept, scheduler: 'cbs-hard' });
    expect(definition({ reservation, scheduler: 'deadline' }).reservation?.scheduler).toBe('deadline');
  });

  test('says where it is wrong: a scheduler that has nothing to keep, or keeps nothing', () => {
    expect(pathsOf(() => definition({ scheduler: 'cbs-soft' }))).toEqual(['guests.0.scheduler']);
    expect(pathsOf(() => definition({ reservation, scheduler: 'fair' }))).toEqual(['guests.0.scheduler']);
    const stream = { kind: 'stream', buffers: 99 };
    expect(pathsOf(() => definition({ program: stream, reservation, scheduler: 'none' }))).toEqual([
      'guests.0.pages',
      'guests.0.scheduler',
    ]);
  });

  test.each(['trace', 'dirty-curve'])('has no program of the kind %s, which only a scenario has', (kind) => {
    expect(pathsOf(() => definition({ program: { kind } }))).toEqual(['program.kind']);
  });
});

describe('a migration that is asked for', () => {
  test('passes on with how little it would go on', () => {
    expect(migration({ rate: '50Mbit/s' }).share?.leastBytesPerSecond).toBe(6.25e6);
    expect(migration({ rate: '50Mbit/s', least: '8Mbit/s' }).share?.leastBytesPerSecond).toBe(1e6);
    const more = () => migration({ rate: '8Mbit/s', stopRate: '16Mbit/s', least: '17Mbit/s' });
    expect(pathsOf(more)).toEqual(['link.least']);
  });

  test('costs on the link what real frames cost, and has the hogs that it asks for', () => {
    const { plan, cpu } = migration(
      { rate: '50Mbit/s' },
      { background: [{ kind: 'cpu-hog', count: 2 }, { kind: 'cpu-hog' }] },
    );
    expect(plan.pageBytes).toBe(4096 + 16);
    expect(cpu.hogs).toBe(3);
  });
});
