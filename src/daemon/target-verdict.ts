import type { MigrationRecord } from '../core/migration/record.ts';
import type { TargetClause } from '../scenario/target.ts';
import { heldPromise } from '../study/plan/held-promise.ts';
import type { PlannedTarget, TargetVerdict } from './target-schemas.ts';

/** @returns null: it had no target, or was cancelled, so that nobody wanted it any more */
export function targetVerdictOf(
  record: Pick<MigrationRecord, 'outcome' | 'downtimeNs' | 'totalNs'>,
  target: PlannedTarget | null,
): TargetVerdict | null {
  if (!target || record.outcome === 'cancelled') return null;
  const { kept, clauses } = heldPromise(target.clauses, record);
  return { kept, clauses: [...clauses] };
}

/** The margin as a part of the limit: 1 would be no time at all, below 0 it was missed. null: it was not completed. */
export function marginRatioOf({
  limitNs,
  marginNs,
}: Pick<TargetClause, 'limitNs'> & { readonly marginNs: number | null }) {
  return marginNs === null ? null : marginNs / limitNs;
}
