import { PageSet } from '../../core/migration/pages.ts';
import type { Nanos } from '../../core/units.ts';
import { Rehearsal, type RehearsedRound } from '../../qemu/rehearsal.ts';
import type { SourceMachine } from './source-machine.ts';

/** Watches a machine before its migration, by a migration to nowhere that says page by page what is written. */
export class WatchedMachine {
  readonly #machine: SourceMachine;
  readonly #ending = new AbortController();
  #rehearsal: Rehearsal | undefined;
  #rounds: AsyncGenerator<RehearsedRound> | undefined;

  constructor(machine: SourceMachine) {
    this.#machine = machine;
  }

  /** @param pages of the machine @returns what was written in the next window, of at least nearly that length */
  async observe(
    windowNs: Nanos,
    pages: number,
  ): Promise<{ readonly dirty: PageSet; readonly windowNs: Nanos }> {
    const { qmp, socket } = this.#machine;
    const { signal } = this.#ending;
    this.#rehearsal ??= await Rehearsal.begin(qmp, { socket }, signal);
    this.#rounds ??= this.#rehearsal.rounds(windowNs, signal);
    const { value } = await this.#rounds.next();
    const round = value as RehearsedRound;
    return { dirty: PageSet.of(pages, round.pages), windowNs: round.untilNs - round.fromNs };
  }

  /** Its settings are as before. @throws Failure they could not be restored */
  async end(): Promise<void> {
    this.#ending.abort();
    const rehearsal = this.#rehearsal;
    this.#rehearsal = undefined;
    await rehearsal?.end();
  }
}
