import type { MigrationRecord } from '../core/migration/record.ts';
import type { Nanos } from '../core/units.ts';
import { summary } from '../study/statistics/estimate.ts';
import type { ComparisonView, DowntimesView, MigrationView } from './migration-schemas.ts';
import { isGuaranteed } from './virtual-estimate.ts';

type Ended = MigrationView & { readonly record: MigrationRecord };

/**
 * What guarantees did: completed migrations of the same guest to the same host by the same plan, with CPU reservations
 * beside those without. Where none was measured without, virtual time says what it would have been.
 * @param migrations the latest first
 */
export function comparisonsOf(migrations: readonly MigrationView[]): readonly ComparisonView[] {
  const ended = migrations.filter((view): view is Ended => view.record?.outcome === 'completed');
  const guaranteed = groupedBy(
    ended.filter(({ record }) => isGuaranteed(record.reservations)),
    ({ to, record }) => JSON.stringify([unguaranteedKey(record, to), record.reservations]),
  );
  const bare = groupedBy(
    ended.filter(({ record }) => !isGuaranteed(record.reservations)),
    ({ to, record }) => unguaranteedKey(record, to),
  );
  return [...guaranteed.values()].map((group) => {
    const { guest, to, record } = group[0]!;
    const measured = bare.get(unguaranteedKey(record, to));
    const computed = group.find(({ unguaranteed }) => unguaranteed?.downtime)?.unguaranteed?.downtime;
    const kept = group.map(({ promises }) => promises?.kept);
    return {
      guest,
      to,
      guaranteed: downtimesOf(group),
      kept: kept.filter((one) => one === true).length,
      broken: kept.filter((one) => one === false).length,
      unguaranteed: measured ? downtimesOf(measured) : computed ? { ...computed, ...inVirtualTime } : null,
    };
  });
}

function groupedBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

const inVirtualTime = { by: 'virtual time', interval: 'middle 95 %', migrations: [] } as const;

function downtimesOf(group: readonly Ended[]): DowntimesView {
  const { median, low, high, confident } = summary(group.map(({ record }): Nanos => record.downtimeNs));
  return {
    by: 'measurement',
    ...{ medianNs: median, lowNs: low, highNs: high },
    interval: confident ? '95 % of the median' : 'least and most',
    migrations: group.map(({ id }) => id),
  };
}

/** What a migration has in common with the same one without its CPU reservations. */
export function unguaranteedKey(
  { guest, plan, reservations, antagonists }: MigrationRecord,
  to: string,
): string {
  const { guest: _, sender: __, scheduler, ...cpu } = reservations;
  const { recordingStartNs: ___, ...machine } = guest;
  // Under `none` the operating system has all processors, which is another setting than to take turns on some.
  const isKernels = scheduler === 'none' || scheduler === 'deadline';
  return JSON.stringify([machine, to, { ...plan, seed: 0 }, cpu, antagonists, isKernels]);
}
