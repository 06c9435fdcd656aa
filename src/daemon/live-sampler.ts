import type { Slice } from '../core/cpu/slice.ts';
import type { OutgoingMigration } from '../worlds/outgoing/outgoing-migration.ts';
import type { Events } from './events.ts';

const SAMPLE_MS = 250;

/**
 * Tells those who watch, while a migration runs, who had a processor since they were last told, and how full the bucket
 * is. A busy processor changes hands a thousand times a second: what has been told is not told again.
 * @returns how to end it
 */
export function startLiveSampler(id: string, world: OutgoingMigration, events: Events): () => void {
  let told = 0;
  const sample = async () => {
    const slices = world.slices(told).map((slice): Slice => clipped(slice, told));
    told = slices.reduce((latest, { endNs }) => Math.max(latest, endNs), told);
    const now = told;
    // A sender that has ended is not worth a word here: the migration ends too.
    const link = await world.linkStatus().catch(() => null);
    events.publish({ kind: 'pulse', id, value: { now, slices, link } });
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return () => clearInterval(timer);
}

/** Of a slice that has grown, what is new. */
function clipped(slice: Slice, fromNs: number): Slice {
  return slice.startNs < fromNs ? { ...slice, startNs: fromNs } : slice;
}
