import { expect, test } from 'vitest';
import type { WatchedMachineView } from '../../src/daemon/watch-schemas.ts';
import { afterEvent, newlyWatched, withoutPast } from '../../src/daemon/watched-view.ts';
import type { Progress } from '../../src/run/watch/followed-migration.ts';
import type { MonitorEvent } from '../../src/run/watch/watch-event.ts';

const begin = Date.parse('2026-01-01T00:00:00.000Z');
const socket = { name: 'web', socket: '/run/web', stopRateBytesPerSecond: undefined };

const progress = (atNs: number, endsByItself: number | null): MonitorEvent => ({
  event: 'progress',
  ...{ atNs, status: 'active', leftBytes: 1e9 - atNs / 100, sentBytes: 0, rateBytesPerSecond: null },
  ...{ dirtyBytesPerSecond: null, syncs: 1, throttlePercent: null, expectedDowntimeNs: null },
  predicted: { endsByItself, totalNs: null, downtimeNs: null } as Progress['predicted'],
});
const ended = (outcome: 'completed' | 'unknown', totalNs: number | null): MonitorEvent => {
  return { event: 'ended', outcome, totalNs, downtimeNs: totalNs, sentBytes: 1, syncs: 2, reason: null };
};

/** Each event after so many seconds, with QEMU's word from then on. */
function machineAfter(...events: (readonly [seconds: number, MonitorEvent, string | null])[]) {
  return events.reduce<WatchedMachineView>((machine, [seconds, event, status]) => {
    const time = new Date(begin + seconds * 1e3).toISOString();
    return afterEvent(machine, { time, monitor: '/run/web', ...event }, status);
  }, newlyWatched(socket));
}

test('a migration that was found going on began before, and what was predicted first is kept', () => {
  const machine = machineAfter(
    [10, { event: 'connected', status: 'active' }, 'active'],
    [10, { event: 'began' }, 'active'],
    [10, progress(4e9, null), 'active'],
    [11, progress(5e9, 0.5), 'active'],
    [12, progress(6e9, 1), 'active'],
    [13, ended('completed', 7e9), 'completed'],
  );
  expect(machine).toMatchObject({ state: 'idle', status: 'completed', progress: null, why: null });
  expect(machine.last).toMatchObject({
    startedAt: '2026-01-01T00:00:06.000Z',
    endedAt: '2026-01-01T00:00:13.000Z',
    outcome: 'completed',
    firstPredicted: { atNs: 5e9, endsByItself: 0.5 },
  });
  expect(machine.course.map(({ atNs }) => atNs)).toEqual([4e9, 5e9, 6e9]);
  expect(Object.keys(withoutPast(machine))).not.toContain('course');
});

test('one that fits between two looks began as long before its end as it took', () => {
  const { last } = machineAfter(
    [20, { event: 'began' }, 'completed'],
    [20, ended('completed', 2e9), 'completed'],
  );
  expect(last).toMatchObject({ startedAt: '2026-01-01T00:00:18.000Z', firstPredicted: null });
});

test('a machine whose QEMU ends while it is migrated stays unreachable, and says why, until it is there again', () => {
  const lost = machineAfter(
    [1, { event: 'connected', status: 'none' }, 'none'],
    [2, { event: 'began' }, 'active'],
    [2, progress(1e8, null), 'active'],
    [3, { event: 'lost', reason: 'it is gone' }, null],
    [3, ended('unknown', null), null],
  );
  expect(lost).toMatchObject({ state: 'unreachable', why: 'it is gone', status: null, progress: null });
  const time = new Date(begin).toISOString();
  const again = { time, monitor: '/run/web', event: 'connected', status: 'none' } as const;
  expect(afterEvent(lost, again, 'none')).toMatchObject({ state: 'idle', why: null, migrations: [{}] });
});

test('of a long migration the course is kept evenly, and of many migrations the latest', () => {
  const seconds = Array.from({ length: 5_000 }, (_, second) => second);
  const long = machineAfter(
    [0, { event: 'began' }, 'active'],
    ...seconds.map((second) => [second, progress(second * 1e9, null), 'active'] as const),
  );
  expect(long.course.length).toBeLessThanOrEqual(240);
  const gaps = long.course.slice(1).map(({ atNs }, index) => atNs - long.course[index]!.atNs);
  expect(long.course.length).toBeGreaterThan(100);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000e9 / 40);
  const many = machineAfter(
    ...seconds.slice(0, 60).map((second) => [second, ended('completed', 1e9), null] as const),
  );
  expect(many.migrations.length).toBe(50);
  expect(many.migrations[0]!.endedAt).toBe('2026-01-01T00:00:59.000Z');
});
