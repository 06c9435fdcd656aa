import type { Owner } from '../core/migration/migration-result.ts';
import type { Settlement } from '../transport/settlement.ts';

/** Whose a guest was when its process was killed. */
export interface Fate {
  readonly owner: Owner;
  readonly why: string;
}

/** The same by what the journals of its migrations say. */
export function fateOf(name: string, settlements: readonly Settlement[]): Fate {
  const its = settlements.filter(({ guest, found }) => guest === name && found.source !== null);
  const settlement = its.find(({ owner }) => owner !== 'source') ?? its[0];
  if (!settlement) return { owner: 'source', why: 'it was not being migrated' };
  const { owner, reason } = settlement;
  return { owner: owner === 'nobody yet known' ? 'nobody' : owner, why: reason };
}
