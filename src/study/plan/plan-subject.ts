import type { Bytes } from '../../core/units.ts';
import {
  type RequestedMigrationDocument,
  requestedMigration,
  requestedMigrationSchema,
} from '../../scenario/migration-request.ts';
import { cellsOf, type Scenario, type ScenarioCell } from '../../scenario/scenario.ts';
import { isObject, type Setting, withSettings } from '../../scenario/settings.ts';
import type { GuestDefinition } from '../../workload/guest-definition.ts';

/** What is planned: a scenario, or how a guest migrates that lives on a host already. */
export type PlanSubject =
  | ({ readonly kind: 'scenario' } & Pick<Scenario, 'base' | 'file'>)
  | {
      readonly kind: 'guest';
      readonly definition: GuestDefinition;
      readonly request: RequestedMigrationDocument;
      /** Of a page on the link. Without: of our frames. */
      readonly overhead?: Bytes;
    };

/** It with these settings, everything resolved. @throws UsageError all that is wrong with it */
export function cellOf(subject: PlanSubject, settings: readonly Setting[]): ScenarioCell {
  return subject.kind === 'scenario' ? cellsOf(subject, settings)[0]! : guestCell(subject, settings);
}

/** The host keeps the guest's own reservation, whatever the migration is given. */
function guestCell(
  { definition, request, overhead }: Extract<PlanSubject, { readonly kind: 'guest' }>,
  settings: readonly Setting[],
): ScenarioCell {
  const { guest, reservation } = definition;
  const { plan, cpu } = requestedMigration(
    settled(request, settings),
    guest,
    reservation,
    undefined,
    overhead,
  );
  const bare = reservation && { budgetNs: reservation.budgetNs, periodNs: reservation.periodNs };
  return {
    ...{ settings, fleet: 0, guest, plan, cpu: { ...cpu, guest: bare } },
    ...{ antagonists: [], deltas: false, share: null },
    ...{ linkCapacityBytesPerSecond: Number.POSITIVE_INFINITY, linkLatencyNs: request.link.latency },
    native: { xbzrleCacheBytes: null, multifdChannels: 0, autoConverge: false },
  };
}

/** What the host and its configuration say, and no request. */
const ofTheHost = ['guest.reservation', 'link.capacity'];

/** A request that was checked before, with settings as a scenario writes them. */
export function settled(
  request: RequestedMigrationDocument,
  settings: readonly Setting[],
): RequestedMigrationDocument {
  const own = settings.filter(({ path }) => !ofTheHost.includes(path));
  const written = withSettings({ link: { rate: 'unlimited' }, migration: {} }, own);
  const checked: unknown = requestedMigrationSchema.parse(written);
  const valueAt = (path: string) =>
    path.split('.').reduce<unknown>((node, key) => (isObject(node) ? node[key] : undefined), checked);
  return withSettings(
    request,
    own.map(({ path }) => ({ path, value: valueAt(path) })),
  );
}
