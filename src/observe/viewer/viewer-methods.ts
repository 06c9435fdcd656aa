import { setTimeout as sleep } from 'node:timers/promises';
import type { Outage } from '../../core/migration/migration-result.ts';
import { clockNs } from '../../platform/clock.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { HeartbeatAccount } from './heartbeat-account.ts';

/** What a viewer's thread is given, in whatever way heartbeats reach it. */
export interface ViewerWorkerData extends Omit<HeartbeatAddress, 'port'> {
  readonly periodNs: number;
}

/** How long heartbeats that were sent may still be on their way when the outage is asked for. */
const STRAGGLERS_NS = 500e6;
const POLL_MS = 5;

/** What a viewer's thread serves. */
export interface ViewerMethods {
  /** @returns the port on which it listens for heartbeats. @throws Error it cannot listen */
  listen(): Promise<number>;
  /** The longest gap counts from here; one that is open counts from its beginning. */
  watchGaps(): void;
  /** The guest has left its source: what still comes from there is not for the client. */
  forgetSource(): void;
  /** @param sent the number of the last heartbeat sent: stragglers are waited for; null: the guest has not ended */
  outage(sent: number | null): Promise<Outage | null>;
}

export function viewerMethods(
  account: HeartbeatAccount,
  listen: () => Promise<number>,
  forgetSource: () => void = () => {},
): ViewerMethods {
  return {
    listen,
    forgetSource,
    watchGaps: () => account.watchGaps(),
    async outage(sent) {
      const untilNs = clockNs() + STRAGGLERS_NS;
      while (sent !== null && account.last < sent && clockNs() < untilNs) await sleep(POLL_MS);
      return account.outage(sent, clockNs());
    },
  };
}
