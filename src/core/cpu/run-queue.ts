import type { Nanos } from '../units.ts';
import type { EntityId } from './processor.ts';

/**
 * One processor's queue of runnable entities under a scheduling class of Linux: who of them runs. Its owner tells it of the
 * time that passes, before anything else that happens at an instant, and lets it choose once all of that has happened.
 */
export interface RunQueue {
  /** Who runs, or `NONE`; as of the last `choose`. */
  readonly running: EntityId;
  /** How many want to run, the one that runs included. */
  readonly size: number;
  /** When the queue itself changes if nobody joins or leaves, ticks aside; Infinity: never. */
  readonly nextChangeNs: Nanos;
  /** Whether the entity is in the queue, perhaps asleep. */
  holds(entity: EntityId): boolean;
  /** How urgent an entity is: above 0, the most urgent the highest. An idle processor has urgency 0. */
  urgencyOf(entity: EntityId): number;
  /** The most urgent of those that wait and may run on another processor, or `NONE`. */
  waiting(mayMove: (entity: EntityId) => boolean): EntityId;
  /** @param wakes whether it has slept; false: it comes from another processor */
  join(entity: EntityId, wakes: boolean): void;
  /** @param sleeps whether it has no work left; false: it goes to another processor */
  leave(entity: EntityId, sleeps: boolean): void;
  /** Time passes, in which the one that runs has run. */
  pass(ranNs: Nanos, nowNs: Nanos): void;
  /** The timer interrupt. */
  tick(): void;
  choose(): void;
}
