import type { MigrationRecord } from '../core/migration/record.ts';
import type { Nanos } from '../core/units.ts';
import { summary } from '../study/statistics/estimate.ts';
import { grouped } from '../study/statistics/grouped.ts';
import type { ComparisonView, MigrationView } from './migration-schemas.ts';
import { isGuaranteed } from './virtual-estimate.ts';

type Ended = MigrationView & { readonly record: MigrationRecord };

/**
 * What guarantees did: completed migrations of the same guest to the same host by the same plan, with CPU reservations
 * beside those without. Where none was measured without, virtual time says what it would have been.
 * @param migrations the latest first
 */
export function comparisonsOf(migrations: readonly MigrationView[]): readonly ComparisonView[] {
  const ended = migrations.filter((view): view is Ended => view.record?.outcome === 'completed');
  const guaranteed = grouped(
    ended.filter(({ record }) => isGuaranteed(record.reservations)),
    ({ to, record }) => JSON.stringify([unguaranteedKey(record, to), record.reservations]),
  );
  const bare = grouped(
    ended.filter(({ record }) => !isGuaranteed(record.reservations)),
    ({ to, record }) => unguaranteedKey(record, to),
  );
  return [...guaranteed.values()].map((group) => {
    const { guest, to, record } = group[0]!;
    const measured = bare.get(unguaranteedKey(record, to));
    const computed = group.find(({ unguaranteed }) => unguaranteed?.downtime)?.unguaranteed?.downtime;
    const inVirtualTime = computed && { memory: { ...computed, interval: 'middle 95 %' as const } };
    const kept = group.map(({ promises }) => promises?.kept);
    return {
      guest,
      to,
      guaranteed: measuredOf(group),
      kept: kept.filter((one) => one === true).length,
      broken: kept.filter((one) => one === false).length,
      unguaranteed: measured
        ? { by: 'measurement', ...measuredOf(measured) }
        : inVirtualTime
          ? { by: 'virtual time', migrations: [], downtime: null, ...inVirtualTime }
          : null,
    };
  });
}

function measuredOf(group: readonly Ended[]) {
  return {
    migrations: group.map(({ id }) => id),
    downtime: figuresOf(group.map(({ record }) => record.downtimeNs)),
    memory: figuresOf(group.map(({ record }) => sendingNs(record))),
  };
}

/** The part of the downtime that sends what is left: digests and the hand-over come on top. */
export function sendingNs({ downtimeParts: { memoryNs, deviceNs } }: MigrationRecord): Nanos {
  return memoryNs + deviceNs;
}

function figuresOf(values: readonly Nanos[]) {
  const { median, low, high, confident } = summary(values);
  const interval = confident ? ('95 % of the median' as const) : ('least and most' as const);
  return { medianNs: median, lowNs: low, highNs: high, interval };
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
