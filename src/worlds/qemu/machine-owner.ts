import type { MachineMove } from './machine-journal.ts';

/**
 * What the source says, once its migration is over. `given away`: this migration has completed there, and the machine has stood still
 * since. `given to another`: it stands still after a migration that differs from this one. `kept`: it runs, or could. `gone`: that QEMU has
 * ended.
 */
export type SourceWord = 'given away' | 'given to another' | 'kept' | 'gone';

/**
 * Whose a machine is that was on its way when whoever moved it was killed. The source gives it away with the word that follows the entry
 * `handing over`, and resumes it if that word does not come.
 *
 * | last entry | given away | given to another | kept | gone |
 * |---|---|---|---|---|
 * | begun | source | source | source | source |
 * | handing over | destination | undecided | source | undecided: it may have resumed before it ended |
 * | handed over | destination | undecided | source: somebody has told it to go on | destination |
 */
export function ownerOf(
  last: MachineMove['last'],
  source: SourceWord,
): 'source' | 'destination' | 'undecided' {
  if (last === 'begun' || source === 'kept') return 'source';
  if (source === 'given to another') return 'undecided';
  return source === 'gone' && last === 'handing over' ? 'undecided' : 'destination';
}
