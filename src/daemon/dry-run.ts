import { randomUUID } from 'node:crypto';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { Admission } from './admission.ts';
import type { Computing } from './computing.ts';
import type { PredictionView } from './migration-schemas.ts';
import type { Mover } from './mover.ts';
import type { MigrationRequest } from './planned-migration.ts';
import { isGuaranteed, otherLoad, withoutGuarantee } from './virtual-estimate.ts';

interface DryRunParts {
  readonly mover: Mover;
  readonly admission: Admission;
  readonly computing: Computing;
}

/**
 * What a migration would come to, if it were asked for now. Nothing is moved, reserved or written.
 * @param definition of its guest, which is known
 * @throws UsageError all that is wrong with it
 */
export async function dryRun(
  request: MigrationRequest,
  definition: GuestDefinition,
  { mover, admission, computing }: DryRunParts,
): Promise<PredictionView> {
  const planned = mover.planned(request, definition);
  const { share, job } = planned;
  const spec = mover.modelled(planned, definition);
  const { guest, plan, cpu } = spec;
  const predicted = await computing.predict({ guest, plan, cpu, share });
  const estimate = await computing.estimate(spec);
  const bare = { ...spec, cpu: withoutGuarantee(spec.cpu) };
  const unguaranteed = isGuaranteed(spec.cpu) ? await computing.estimate(bare) : null;
  const { begins, why, left, linkBytesPerSecond } = admission.outlook(job(randomUUID()));
  return {
    guest: guest.name,
    to: request.to.name,
    target: request.target,
    predicted,
    estimate,
    unguaranteed,
    reserves: {
      cpu: (['guest', 'sender'] as const).flatMap((holder) => {
        const reservation = spec.cpu[holder];
        return reservation ? [{ holder, reservation }] : [];
      }),
      linkBytesPerSecond,
    },
    left,
    begins,
    why,
    leftOut: [
      ...(predicted?.leftOut ?? []),
      ...(estimate ? [...mover.leftOut.computed, ...otherLoad()] : []),
    ],
  };
}
