import type { MachineMove } from './machine-journal.ts';

/**
 * What the source says, once its migration is over. `given away`: this migration has completed there, and the machine has stood still
 * since. `kept`: it runs, or could; or it has been given away by another migration. `gone`: that QEMU has ended.
 */
export type SourceWord = 'given away' | 'kept' | 'gone';

/**
 * Whose a machine is that was on its way when whoever moved it was killed. The source gives it away with the word that follows the entry
 * `handing over`, and resumes it if that word does not come.
 *
 * | last entry | given away | kept | gone |
 * |---|---|---|---|
 * | begun | – | source | source |
 * | handing over | destination | source | undecided: it may have resumed before it ended |
 * | handed over | destination | source: somebody has told it to go on | destination |
 */
export function ownerOf(
  last: MachineMove['last'],
  source: SourceWord,
): 'source' | 'destination' | 'undecided' {
  if (last === 'begun' || source === 'kept') return 'source';
  return source === 'gone' && last === 'handing over' ? 'undecided' : 'destination';
}
