import type { Ceiling } from '../core/link/ceiling.ts';
import { migrate } from '../core/migration/migrate.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { Nanos } from '../core/units.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { VirtualWorld } from '../worlds/virtual/virtual-world.ts';

/** What became of a migration's request for a reservation of the link. */
export type LeaseAnswer =
  /** Granted after a while; instants of what was taken back later count from then. */
  | { readonly waitedNs: Nanos; readonly ceilings: readonly Ceiling[] }
  | { readonly waitedNs: Nanos; readonly refusal: string };

/** One migration in virtual time from its beginning to its end. */
export interface VirtualMigration {
  readonly course: MigrationResult;
  readonly steps: readonly { readonly step: Step; readonly seen: StepResult }[];
  readonly world: VirtualWorld;
  /** From its reservation to when it gave it back. */
  readonly heldNs: Nanos;
}

/** How long a migration watches its guest before it asks for its reservation. */
export function watchingNs(setup: MigrationSpec): Nanos {
  const world = new VirtualWorld(setup, false);
  const migration = migrate(setup.plan);
  let now = 0;
  for (let next = migration.next(); !next.done && next.value.kind !== 'track'; ) {
    const seen = world.carryOut(next.value);
    now = seen.now;
    next = migration.next(seen);
  }
  return now;
}

export function virtualMigration(setup: MigrationSpec, answer: LeaseAnswer): VirtualMigration {
  const world = new VirtualWorld(setup);
  const steps: { step: Step; seen: StepResult }[] = [];
  let [grantedAtNs, leftAtNs] = [0, 0];
  const perform = (step: Step): StepResult => {
    if (step.kind !== 'track') return world.carryOut(step);
    // The guest goes on while its migration waits.
    grantedAtNs = world.carryOut({ kind: 'observe', windowNs: answer.waitedNs }).now;
    if ('refusal' in answer)
      return { kind: 'failed', now: grantedAtNs, why: answer.refusal, outcome: 'aborted' };
    world.allow(answer.ceilings);
    return world.carryOut(step);
  };
  const migration = migrate(setup.plan);
  let next = migration.next();
  while (!next.done) {
    const step = next.value;
    const seen = perform(step);
    steps.push({ step, seen });
    if (seen.kind === 'handed over' || seen.kind === 'aborted') leftAtNs = seen.now;
    next = migration.next(seen);
  }
  return { course: next.value, steps, world, heldNs: leftAtNs - grantedAtNs };
}
