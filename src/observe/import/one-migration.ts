import { NANOS_PER_SECOND } from '../../core/units.ts';
import type { Sample } from './observation.ts';

const ENDED = new Set(['completed', 'failed', 'cancelled']);

/** No migration takes longer: what says so is no time. */
const LONGEST_NS = 400 * 24 * 3600 * NANOS_PER_SECOND;

export interface OneMigration {
  readonly samples: readonly Sample[];
  readonly missing: readonly string[];
}

/**
 * Of samples in the order of a log, those of one migration: where a log has several, the one of which it says most, and
 * of equals the last. A clock that goes back within a migration loses the samples in which it does.
 */
export function oneMigration(samples: readonly Sample[]): OneMigration {
  const migrations: Sample[][] = [];
  let [backwards, impossible] = [0, 0];
  for (const sample of samples) {
    if (sample.atNs > LONGEST_NS) {
      impossible += 1;
      continue;
    }
    const current = migrations.at(-1);
    const last = current?.at(-1);
    if (!current || !last || beginsAnother(last, sample)) migrations.push([sample]);
    else if (sample.atNs < last.atNs) backwards += 1;
    else current.push(sample);
  }
  const most = migrations.reduce((longest, { length }) => Math.max(longest, length), 0);
  const chosen = migrations.findLastIndex(({ length }) => length === most);
  const others = migrations.length - 1;
  return {
    samples: migrations[chosen] ?? [],
    missing: [
      others > 0 ? `${others} other ${others === 1 ? 'migration' : 'migrations'} in the same file` : [],
      impossible > 0 ? `${impossible} samples after more than 400 days` : [],
      backwards > 0 ? `${backwards} samples at which the clock goes back` : [],
    ].flat(),
  };
}

/** Its clock and its bytes begin anew, or the last one had ended. */
function beginsAnother(last: Sample, next: Sample): boolean {
  if (next.atNs >= last.atNs) return false;
  if (last.status !== null && ENDED.has(last.status)) return true;
  return last.sentBytes !== null && next.sentBytes !== null && next.sentBytes < last.sentBytes;
}
