import type { Ceiling } from '../core/link/ceiling.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { Nanos } from '../core/units.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { VirtualWorld } from '../worlds/virtual/virtual-world.ts';
import type { SyncWorld } from './drive.ts';

/** The answer to a migration's request for a reservation of the link. */
export type LeaseAnswer =
  /** Granted after a wait. The instants of the ceilings count from then. */
  | { readonly waitedNs: Nanos; readonly ceilings: readonly Ceiling[] }
  | { readonly waitedNs: Nanos; readonly refusal: string };

/**
 * Virtual time on a shared link, like `SharedLinkWorld` in real time. The answer of the ledger is known beforehand. The
 * guest continues to run while its migration waits.
 */
export class LeasedWorld implements SyncWorld {
  readonly virtual: VirtualWorld;
  readonly #answer: LeaseAnswer;
  /** When it asked for its reservation: just before its first round. */
  askedAtNs: Nanos = 0;
  #leftQueueAtNs: Nanos = 0;
  #releasedAtNs: Nanos = 0;
  #now: Nanos = 0;

  constructor(spec: MigrationSpec, answer: LeaseAnswer) {
    this.virtual = new VirtualWorld(spec);
    this.#answer = answer;
  }

  /** From when it left the queue to when it gave back what it had. */
  get heldNs(): Nanos {
    return this.#releasedAtNs - this.#leftQueueAtNs;
  }

  carryOut(step: Step): StepResult {
    const result = step.kind === 'track' ? this.#track(step) : this.virtual.carryOut(step);
    this.#now = result.now;
    if (result.kind === 'handed over' || result.kind === 'aborted') this.#releasedAtNs = result.now;
    return result;
  }

  #track(step: Step): StepResult {
    const { waitedNs, ...answer } = this.#answer;
    this.askedAtNs = this.#now;
    this.#leftQueueAtNs = this.virtual.carryOut({ kind: 'observe', windowNs: waitedNs }).now;
    if ('refusal' in answer) {
      return { kind: 'failed', now: this.#leftQueueAtNs, why: answer.refusal, outcome: 'aborted' };
    }
    this.virtual.allow(answer.ceilings);
    return this.virtual.carryOut(step);
  }
}
