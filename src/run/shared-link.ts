import { randomUUID } from 'node:crypto';
import type { Admission } from '../core/migration/record.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { Nanos } from '../core/units.ts';
import { reasonOf } from '../platform/failure.ts';
import type { LinkShare } from '../scenario/fleet.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { World } from '../worlds/world.ts';
import { LeaseClient, type LedgerStore, linkRequest } from './lease-client.ts';

/**
 * The steps of a world whose link is shared. The migration asks for its reservation just before its first round, not while it only
 * observes the guest. It gives the reservation back when the guest has been handed over or the migration has ended.
 */
export class SharedLinkWorld implements Pick<World, 'perform' | 'cancel'> {
  readonly #world: World;
  readonly #client: LeaseClient;
  #now: Nanos = 0;
  #hasAsked = false;
  #isCancelled = false;
  #admission: Admission | null = null;

  /** @param id its name in the ledger; the name of a lease that was already granted for it */
  constructor(
    world: World,
    { plan }: Pick<MigrationSpec, 'plan'>,
    share: LinkShare,
    store: LedgerStore,
    id = `${share.name} ${randomUUID()}`,
  ) {
    this.#world = world;
    const request = { ...linkRequest(id, plan, share), queueTimeoutNs: share.queueTimeoutNs };
    this.#client = new LeaseClient(store, request, (ceilings) => world.allow(ceilings));
  }

  /** How the reservation was obtained; null: it was never asked for. */
  get admission(): Admission | null {
    return this.#admission;
  }

  /** What a reader of the record must know of how the reservation was kept. */
  get notes(): readonly string[] {
    return this.#client.notes;
  }

  async perform(step: Step): Promise<StepResult> {
    if (step.kind === 'track') {
      this.#hasAsked = true;
      try {
        const why = await this.#client.admit();
        if (why !== undefined && !this.#isCancelled)
          return { kind: 'failed', now: this.#now, why, outcome: 'aborted' };
      } catch (cause) {
        return { kind: 'failed', now: this.#now, why: reasonOf(cause) };
      }
    }
    const seen = await this.#world.perform(step);
    this.#now = seen.now;
    if (seen.kind === 'handed over' || seen.kind === 'aborted') await this.leave();
    return seen;
  }

  /** Also while it waits for its reservation. */
  cancel(why: string): boolean {
    this.#isCancelled = true;
    this.#client.stopWaiting();
    return this.#world.cancel?.(why) ?? false;
  }

  /** Gives back the reservation, or the place in the queue, if that has not happened. */
  async leave(): Promise<void> {
    if (!this.#hasAsked) return;
    this.#hasAsked = false;
    this.#admission = await this.#client.leave();
  }
}
