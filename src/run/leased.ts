import type { Ceiling } from '../core/link/ceiling.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { Nanos } from '../core/units.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { VirtualWorld } from '../worlds/virtual/virtual-world.ts';
import { driveSync, type StepListener } from './drive.ts';
import { type MigrationRun, SeenPause } from './migration-run.ts';

/** The answer to a migration's request for a reservation of the link. */
export type LeaseAnswer =
  /** Granted after a wait. The instants of the ceilings count from then. */
  | { readonly waitedNs: Nanos; readonly ceilings: readonly Ceiling[] }
  | { readonly waitedNs: Nanos; readonly refusal: string };

/** A migration that has been carried out under an answer of the ledger. */
export interface Leased {
  readonly run: Omit<MigrationRun, 'admission'>;
  /** When it asked for its reservation: just before its first round. */
  readonly askedAtNs: Nanos;
  /** From when it left the queue to when it gave back what it had. */
  readonly heldNs: Nanos;
}

/**
 * Virtual time on a shared link, like `SharedLinkWorld` in real time. The answer of the ledger is known beforehand. The
 * guest continues to run while its migration waits.
 */
export function carryOutLeased(
  spec: MigrationSpec,
  { waitedNs, ...answer }: LeaseAnswer,
  stepped: StepListener = () => {},
): Leased {
  const world = new VirtualWorld(spec);
  const pause = new SeenPause();
  let now = 0;
  let askedAtNs = 0;
  let leftQueueAtNs = 0;
  const track = (step: Step): StepResult => {
    askedAtNs = now;
    leftQueueAtNs = world.carryOut({ kind: 'observe', windowNs: waitedNs, windows: 1 }).now;
    if ('refusal' in answer) {
      return { kind: 'failed', now: leftQueueAtNs, why: answer.refusal, outcome: 'aborted' };
    }
    world.allow(answer.ceilings);
    return world.carryOut(step);
  };
  const carryOut = (step: Step) => (step.kind === 'track' ? track(step) : world.carryOut(step));
  const result = driveSync(spec.plan, { carryOut }, (step, result) => {
    now = result.now;
    pause.see(step, result);
    stepped(step, result);
  });
  return { run: { spec, result, pause, world, notes: [] }, askedAtNs, heldNs: now - leftQueueAtNs };
}
