import { setTimeout as sleep } from 'node:timers/promises';
import type { MemoryComparison, Outage } from '../../core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import type { ViewerThread } from '../../observe/viewer/viewer-thread.ts';
import type { SenderThread } from '../../transport/sender-thread.ts';
import type { GuestInstance } from './guest-instance.ts';

/** What watches the guest from outside, and what is done with it once it runs at the destination. */
export interface MigrationHooks {
  /** The migration starts: gaps count from here. */
  watchGaps(): void;
  /** The guest is at the destination. */
  arrived(
    sender: SenderThread,
  ): Promise<{ readonly outage: Outage | null; readonly continued: MemoryComparison }>;
  /** It is not. */
  outage(): Promise<Outage | null>;
}

/** Nobody looks on; the guest stays at the destination. */
export const leaving: MigrationHooks = {
  watchGaps: () => {},
  outage: async () => null,
  async arrived(sender) {
    await sender.ask('leave', {});
    return { outage: null, continued: 'not-checked' };
  },
};

/** After the hand-over the guest runs on for so many heartbeats, so that its client can say how it went. */
const HEARTBEATS_AFTERWARDS = 25;

/**
 * Lets the guest run on at the destination, ends it there, and lets the copy that stayed behind make the same
 * number of steps: a guest that never moved must end with the same memory.
 */
export function retiring(instance: GuestInstance, viewer: ViewerThread): MigrationHooks {
  return {
    watchGaps: () => viewer.watchGaps(),
    outage: () => viewer.outage(0),
    async arrived(sender) {
      await sleep(
        (HEARTBEATS_AFTERWARDS * instance.definition.guest.heartbeatPeriodNs) / NANOS_PER_MILLISECOND,
      );
      const { result: moved } = await sender.ask('retire', {});
      const outage = await viewer.outage(moved.heartbeats);
      await instance.advance(moved.steps);
      const continued = (await instance.hash()) === moved.sha256 ? 'identical' : 'different';
      return { outage, continued };
    },
  };
}
