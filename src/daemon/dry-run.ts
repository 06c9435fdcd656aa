import { randomUUID } from 'node:crypto';
import { requestedMigration } from '../scenario/migration-request.ts';
import type { Admission } from './admission.ts';
import type { Computing } from './computing.ts';
import type { Guests } from './guests.ts';
import type { PredictionView } from './migration-schemas.ts';
import { type MigrationRequest, plannedMigration, specOf } from './planned-migration.ts';
import { isGuaranteed, notInVirtualTime, withoutGuarantee } from './virtual-estimate.ts';

interface DryRunParts {
  readonly guests: Guests;
  readonly admission: Admission;
  readonly computing: Computing;
}

/**
 * What a migration would come to, if it were asked for now. Nothing is moved, reserved or written.
 * @throws UsageError all that is wrong with it
 * @throws NotFound no such guest
 */
export async function dryRun(
  request: MigrationRequest,
  { guests, admission, computing }: DryRunParts,
): Promise<PredictionView> {
  const definition = guests.placeOf(request.guest);
  const { guest, reservation } = definition;
  const requested = requestedMigration(request.migration, guest, reservation, request.link);
  const planned = plannedMigration(request, requested, reservation);
  const { plan, cpu, share, job } = planned;
  const spec = specOf(planned, definition);
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
    leftOut: [...(predicted?.leftOut ?? []), ...(estimate ? notInVirtualTime() : [])],
  };
}
