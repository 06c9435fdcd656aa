import type { MigrationRecord } from '../../core/migration/record.ts';
import type { Nanos } from '../../core/units.ts';
import type { Target, TargetClause } from '../../scenario/target.ts';

/** What a migration came to, beside what was promised of it. */
export interface HeldPromise {
  /** All of it was kept. */
  readonly kept: boolean;
  readonly clauses: readonly HeldClause[];
}

export interface HeldClause extends TargetClause {
  /** What it took; null: the migration did not complete, and so keeps nothing. */
  readonly measuredNs: Nanos | null;
  /** What was left of the limit, negative if it was missed; null as `measuredNs`. */
  readonly marginNs: Nanos | null;
  readonly kept: boolean;
}

export function heldPromise(
  target: Target,
  { outcome, downtimeNs, totalNs }: Pick<MigrationRecord, 'outcome' | 'downtimeNs' | 'totalNs'>,
): HeldPromise {
  const took = { downtime: downtimeNs, total: totalNs };
  const clauses = target.map((clause): HeldClause => {
    if (outcome !== 'completed') return { ...clause, measuredNs: null, marginNs: null, kept: false };
    const measuredNs = took[clause.metric];
    return {
      ...clause,
      measuredNs,
      marginNs: clause.limitNs - measuredNs,
      kept: measuredNs <= clause.limitNs,
    };
  });
  return { kept: clauses.every(({ kept }) => kept), clauses };
}
