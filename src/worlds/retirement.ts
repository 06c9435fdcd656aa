import { setTimeout as sleep } from 'node:timers/promises';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import type { ViewerThread } from '../observe/viewer/viewer-thread.ts';
import type { Retired } from '../transport/payloads.ts';
import type { Completion } from './outgoing/source-guest.ts';

/** After the hand-over the guest runs on for so many heartbeats, so that its client can say how it went. */
const HEARTBEATS_AFTERWARDS = 25;

/** A guest that has moved, and the copy that has stayed behind. */
export interface MovedGuest {
  readonly heartbeatPeriodNs: Nanos;
  readonly viewer: ViewerThread;
  /** Ends it at its destination. */
  retire(): Promise<Retired>;
  /**
   * Has the copy make steps until it has made so many since boot.
   * @param ranOnMs for how long the guest has run on, of which the copy has to make up
   * @returns SHA-256 of its memory then
   */
  replay(steps: number, ranOnMs: number): Promise<string>;
}

/**
 * Lets a guest run on at its destination and retires it there. Then the copy that stayed behind makes the same number
 * of steps: a guest that never moved must end with the same memory.
 */
export async function retireAndCompare({
  heartbeatPeriodNs,
  viewer,
  retire,
  replay,
}: MovedGuest): Promise<Completion> {
  const ranOnMs = (HEARTBEATS_AFTERWARDS * heartbeatPeriodNs) / NANOS_PER_MILLISECOND;
  await sleep(ranOnMs);
  const moved = await retire();
  const outage = await viewer.call('outage', moved.heartbeats);
  const continued = (await replay(moved.steps, ranOnMs)) === moved.sha256 ? 'identical' : 'different';
  return { outage, continued, notes: [] };
}
