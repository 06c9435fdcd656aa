import type { Progress } from '../run/watch/followed-migration.ts';
import type { WatchEvent } from '../run/watch/watch-event.ts';
import type { WatchedSocket } from './configuration.ts';
import type { WatchedMachineView, WatchedMigration, WatchedProgress, WatchedView } from './watch-schemas.ts';

/** Of its past: so many of its migrations. */
const MOST_MIGRATIONS = 50;
/** More than a chart can show. */
const MOST_POINTS = 240;

/** A machine of which nothing has been heard. */
export function newlyWatched({ name, socket }: WatchedSocket): WatchedMachineView {
  const nothing = { why: null, status: null, progress: null, last: null, course: [], migrations: [] };
  return { name, socket, state: 'connecting', ...nothing };
}

/**
 * A machine after something has happened to it.
 * @param status QEMU's word for its latest migration, from then on; null: it cannot be asked
 */
export function afterEvent(
  before: WatchedMachineView,
  event: WatchEvent,
  status: string | null,
): WatchedMachineView {
  const now = { ...before, status };
  switch (event.event) {
    case 'connected':
      return { ...now, state: 'idle', why: null };
    case 'lost':
      return { ...now, state: 'unreachable', why: event.reason };
    case 'began':
      return { ...now, state: 'migrating', course: [] };
    case 'progress': {
      const { leftBytes, atNs } = event;
      const course = leftBytes === null ? now.course : thinned([...now.course, { atNs, leftBytes }]);
      return { ...now, course, progress: progressOf(event, before.progress) };
    }
    case 'ended': {
      const last = endedOf(event, before.progress);
      return {
        ...now,
        // One that cannot be asked any more is told of as lost before.
        state: before.why === null ? 'idle' : 'unreachable',
        progress: null,
        last,
        migrations: [last, ...before.migrations].slice(0, MOST_MIGRATIONS),
      };
    }
  }
}

/** What those who watch events are told. */
export function withoutPast({ course: _, migrations: __, ...now }: WatchedMachineView): WatchedView {
  return now;
}

function progressOf(
  { event: _, monitor: __, time, ...progress }: Extract<WatchEvent, { event: 'progress' }>,
  before: WatchedProgress | null,
): WatchedProgress {
  return {
    ...progress,
    startedAt: before?.startedAt ?? new Date(Date.parse(time) - progress.atNs / 1e6).toISOString(),
    firstPredicted: before?.firstPredicted ?? firstPredicted(progress),
  };
}

function firstPredicted({ atNs, predicted }: Progress): WatchedProgress['firstPredicted'] {
  if (!predicted || predicted.endsByItself === null) return null;
  const { endsByItself, totalNs, downtimeNs } = predicted;
  return { atNs, endsByItself, totalNs, downtimeNs };
}

function endedOf(
  { event: _, monitor: __, time, ...end }: Extract<WatchEvent, { event: 'ended' }>,
  progress: WatchedProgress | null,
): WatchedMigration {
  // One that fits between two looks is only known by its end.
  const startedAt = new Date(Date.parse(time) - (end.totalNs ?? 0) / 1e6).toISOString();
  return {
    ...end,
    startedAt: progress?.startedAt ?? startedAt,
    endedAt: time,
    firstPredicted: progress?.firstPredicted ?? null,
  };
}

type Course = WatchedMachineView['course'];

/** Evenly apart, and half as many, once there are too many. */
function thinned(course: Course): Course {
  if (course.length <= MOST_POINTS) return course;
  const apartNs = (2 * course.at(-1)!.atNs) / MOST_POINTS;
  const kept = [course[0]!];
  for (const point of course) if (point.atNs - kept.at(-1)!.atNs >= apartNs) kept.push(point);
  return kept;
}
