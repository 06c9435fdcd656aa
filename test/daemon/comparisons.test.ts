import { describe, expect, test } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { type MigrationRecord, migrationRecord } from '../../src/core/migration/record.ts';
import { comparisonsOf } from '../../src/daemon/comparisons.ts';
import { incidentsOf } from '../../src/daemon/incidents.ts';
import type { MigrationView } from '../../src/daemon/migration-schemas.ts';
import { promisesOf } from '../../src/daemon/promises.ts';
import { virtualEstimate, withoutGuarantee } from '../../src/daemon/virtual-estimate.ts';
import { migrateVirtually } from '../../src/run/ensemble.ts';
import { metadataOf } from '../../src/run/migration-run.ts';
import { predictedOf } from '../../src/run/predict.ts';
import { smallSetup } from '../fixtures/setup.ts';

const cpu = {
  ...freeCpu,
  scheduler: 'cbs-hard' as const,
  sender: { budgetNs: 5e6, periodNs: 10e6 },
  hogs: 2,
  cpuPerPageNs: 100_000,
};
const guaranteed = smallSetup({ cpu });
const bare = { ...guaranteed, cpu: withoutGuarantee(guaranteed.cpu) };

function recordOf(setup: typeof guaranteed): MigrationRecord {
  const predicted = predictedOf(setup);
  const about = { world: 'threads', scenario: 'to beta', startedAt: '2026-01-01T00:00:00.000Z' };
  return migrationRecord(
    metadataOf(setup, { ...about, admission: null, predicted }),
    migrateVirtually(setup),
  );
}

let made = 0;
function viewOf(record: MigrationRecord, more: Partial<MigrationView> = {}): MigrationView {
  made += 1;
  return {
    ...{ id: `${made}`, guest: record.guest.name, to: 'beta', state: record.outcome, why: null },
    ...{ createdAt: record.startedAt, startedAt: record.startedAt, endedAt: record.startedAt },
    ...{ pages: record.guest.pages, predicted: record.predicted, progress: null, record },
    ...{ target: null, targetVerdict: null },
    ...{ promises: promisesOf(record), unguaranteed: null, log: [] },
    ...more,
  };
}

describe('what a guarantee did', () => {
  const with_ = viewOf(recordOf(guaranteed));
  const without = viewOf(recordOf(bare));

  test('is said beside what was measured without it, of the same guest by the same plan', () => {
    const [one, ...others] = comparisonsOf([with_, without]);
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      guaranteed: { migrations: [with_.id], downtime: { medianNs: with_.record!.downtimeNs } },
      unguaranteed: { by: 'measurement', migrations: [without.id] },
    });
    const other = { ...without.record!, plan: { ...without.record!.plan, order: 'lru' as const } };
    expect(comparisonsOf([with_, viewOf(other)])[0]!.unguaranteed).toBe(null);
    expect(comparisonsOf([with_, { ...without, to: 'gamma' }])[0]!.unguaranteed).toBe(null);
  });

  test('is said beside virtual time where nobody has measured, for the part that this has', () => {
    const unguaranteed = virtualEstimate(bare)!;
    const [one] = comparisonsOf([{ ...with_, unguaranteed }]);
    expect(one!.unguaranteed).toMatchObject({
      by: 'virtual time',
      downtime: null,
      memory: { medianNs: unguaranteed.downtime!.medianNs },
    });
  });

  test('is not said of migrations without one, and other reservations are other guarantees', () => {
    expect(comparisonsOf([without])).toEqual([]);
    const more = smallSetup({ cpu: { ...cpu, sender: { budgetNs: 6e6, periodNs: 10e6 } } });
    expect(comparisonsOf([with_, viewOf(recordOf(more))]).length).toBe(2);
  });
});

describe('a promise', () => {
  const record = recordOf(guaranteed);

  test('of the downtime is what the sender’s reservation supplies in time for the pages that were left', () => {
    const { downtime } = promisesOf(record);
    expect(downtime!.pages).toBe(record.stop.pages);
    expect(downtime!.boundNs).toBeLessThanOrEqual(record.predicted!.downtimeBoundNs!);
    expect(downtime!.kept).toBe(true);
    expect(downtime!.marginNs).toBe(downtime!.boundNs - downtime!.measuredNs);
    const late = { ...record, downtimeParts: { ...record.downtimeParts, memoryNs: downtime!.boundNs + 1 } };
    expect(promisesOf(late)).toMatchObject({ kept: false, downtime: { marginNs: -1, kept: false } });
  });

  test('of CPU time is kept with few missed periods, and those of the machine do not count', () => {
    const [server] = record.servers.filter(({ name }) => name === 'sender');
    const missed = (missedPeriods: number, missedByMachine: number) =>
      promisesOf({ ...record, servers: [{ ...server!, periods: 100, missedPeriods, missedByMachine }] }).kept;
    expect([missed(5, 0), missed(6, 0), missed(6, 1)]).toEqual([true, false, true]);
  });

  test('is made to nobody who has reserved nothing', () => {
    expect(promisesOf(recordOf(bare))).toEqual({ kept: null, downtime: null, cpu: [], link: null });
  });

  test('is counted by its verdict, of guests that live here alone', () => {
    const verdict = (of: typeof record, kind: 'migration' | 'experiment') =>
      incidentsOf(of, kind, 1e9).promises_total;
    const late = { ...record, downtimeParts: { ...record.downtimeParts, memoryNs: 1e12 } };
    expect(verdict(record, 'migration')).toEqual([[{ verdict: 'kept' }, 1]]);
    expect(verdict(late, 'migration')).toEqual([[{ verdict: 'broken' }, 1]]);
    expect(verdict(recordOf(bare), 'migration')).toEqual([[{ verdict: 'none' }, 1]]);
    expect(verdict(late, 'experiment')).toEqual([]);
  });
});
