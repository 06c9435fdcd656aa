import { formatDuration } from '../../core/units.ts';
import { formatClause } from '../../scenario/target.ts';
import type { FeasiblePlan } from '../plan/answer.ts';
import { amountText } from '../plan/choice.ts';
import type { HeldClause, HeldPromise } from '../plan/held-promise.ts';
import { plainTable } from './plain-table.ts';
import { certified, policyText } from './plan-table.ts';

/** What is promised of a machine, for which only the link is reserved, and why that is believed. */
export function promiseLines({ choice, certificate, downtimeNs, totalNs }: FeasiblePlan): readonly string[] {
  const rates = (['link.rate', 'link.stopRate'] as const).map(
    (path) => `${path} ${amountText(choice, path)}`,
  );
  return [
    `plan         ${[...rates, ...choice.policy.map(policyText)].join(', ')}`,
    `expect       downtime ${formatDuration(downtimeNs)}, total ${formatDuration(totalNs)} (medians)`,
    ...certified(certificate),
  ];
}

/** What a migration came to, beside what was promised. */
export function heldTable({ clauses }: HeldPromise, width: number | undefined): string {
  const rows = clauses.map((clause) => [
    formatClause(clause),
    clause.kept ? 'kept' : 'missed',
    clause.measuredNs === null ? '–' : formatDuration(clause.measuredNs),
    marginText(clause),
  ]);
  return plainTable(['promised', 'held', 'took', 'margin'], rows, 2, width);
}

function marginText({ marginNs, limitNs }: HeldClause): string {
  if (marginNs === null) return '–';
  return `${formatDuration(marginNs)}, ${Math.round((100 * marginNs) / limitNs)} %`;
}
