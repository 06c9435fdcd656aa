import type { MigrationRecord } from '../core/migration/record.ts';
import type { TargetClause } from '../scenario/target.ts';
import type { PlannedTarget, TargetVerdict } from './target-schemas.ts';

/**
 * A migration that has ended, held against its target. One that was not completed has kept nothing, as in a plan's
 * certificate.
 * @returns null: it had none, or was cancelled, so that nobody wanted it any more
 */
export function targetVerdictOf(
  { outcome, downtimeNs, totalNs }: Pick<MigrationRecord, 'outcome' | 'downtimeNs' | 'totalNs'>,
  target: PlannedTarget | null,
): TargetVerdict | null {
  if (!target || outcome === 'cancelled') return null;
  const clauses = target.clauses.map((clause) => {
    if (outcome !== 'completed') return { ...clause, measuredNs: null, marginNs: null, kept: false };
    const measuredNs = clause.metric === 'downtime' ? downtimeNs : totalNs;
    return {
      ...clause,
      measuredNs,
      marginNs: clause.limitNs - measuredNs,
      kept: measuredNs <= clause.limitNs,
    };
  });
  return { kept: clauses.every(({ kept }) => kept), clauses };
}

/** The margin as a part of the limit: 1 would be no time at all, below 0 it was missed. null: it was not completed. */
export function marginRatioOf({
  limitNs,
  marginNs,
}: Pick<TargetClause, 'limitNs'> & { readonly marginNs: number | null }) {
  return marginNs === null ? null : marginNs / limitNs;
}
