import { formatDuration } from '../core/units.ts';
import type { WatchEvent, WatchedEnd } from '../run/watch/watch-event.ts';
import type { Entry } from './migration-log.ts';

/** What the log says of a machine whose migrations are followed; undefined: nothing. */
export function watchLogEntry(machine: string, event: WatchEvent): Entry | undefined {
  const about = (name: string, more: object = {}) => ({ event: name, machine, ...more });
  switch (event.event) {
    case 'connected':
      return [`watch: '${machine}' is connected`, about('watch connected', { status: event.status })];
    case 'lost':
      return [
        `watch: '${machine}' cannot be asked: ${event.reason}`,
        about('watch lost', { reason: event.reason }),
      ];
    case 'began':
      return [`watch: somebody migrates '${machine}'`, about('watched migration begun')];
    case 'ended':
      return [
        `watch: the migration of '${machine}' has ended: ${inWords(event)}`,
        about('watched migration ended', {
          outcome: event.outcome,
          downtimeNs: event.downtimeNs,
          totalNs: event.totalNs,
          reason: event.reason,
        }),
      ];
    case 'progress':
      return undefined;
  }
}

function inWords({ outcome, totalNs, downtimeNs, reason }: WatchedEnd): string {
  return [
    outcome === 'unknown' ? 'how is not known' : outcome,
    totalNs === null ? [] : `total: ${formatDuration(totalNs)}`,
    downtimeNs === null ? [] : `downtime: ${formatDuration(downtimeNs)}`,
    reason ?? [],
  ]
    .flat()
    .join('; ');
}
