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
 * of equals the last. A sample before which the clock goes back, and after which it is right again, is left out. Where the
 * clock stays back, because it was set, time goes on from there.
 */
export function oneMigration(samples: readonly Sample[]): OneMigration {
  const possible = samples.filter(({ atNs }) => atNs <= LONGEST_NS);
  const migrations: Sample[][] = [];
  let [wrong, setBack, shiftNs] = [0, 0, 0];
  for (const [index, sample] of possible.entries()) {
    const current = migrations.at(-1);
    const last = current?.at(-1);
    const atNs = sample.atNs + shiftNs;
    if (!current || !last || beginsAnother(last, { ...sample, atNs })) {
      shiftNs = Math.max(0, -sample.atNs);
      migrations.push([{ ...sample, atNs: sample.atNs + shiftNs }]);
    } else if (atNs >= last.atNs) current.push({ ...sample, atNs });
    else if ((possible[index + 1]?.atNs ?? 0) + shiftNs >= last.atNs) wrong += 1;
    else {
      setBack += 1;
      shiftNs = last.atNs - sample.atNs;
      current.push({ ...sample, atNs: last.atNs });
    }
  }
  const most = migrations.reduce((longest, { length }) => Math.max(longest, length), 0);
  const chosen = migrations.findLastIndex(({ length }) => length === most);
  const others = migrations.length - 1;
  const impossible = samples.length - possible.length;
  return {
    samples: migrations[chosen] ?? [],
    missing: [
      others > 0 ? `${others} other ${others === 1 ? 'migration' : 'migrations'} in the same file` : [],
      impossible > 0 ? `${impossible} samples after more than 400 days` : [],
      wrong > 0 ? `${wrong} samples at which the clock goes back` : [],
      setBack > 0 ? 'what time passed while the clock was set back' : [],
    ].flat(),
  };
}

/** Its clock and its bytes begin anew, or the last one had ended. */
function beginsAnother(last: Sample, next: Sample): boolean {
  if (hasEnded(last) && next.status !== null && !hasEnded(next)) return true;
  if (next.atNs >= last.atNs) return false;
  if (hasEnded(last)) return true;
  return last.sentBytes !== null && next.sentBytes !== null && next.sentBytes < last.sentBytes;
}

function hasEnded({ status }: Sample): boolean {
  return status !== null && ENDED.has(status);
}
