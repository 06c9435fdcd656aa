import { isClosing, type JournalEntry } from '../core/wire/ownership.ts';
import { reasonOf } from '../platform/failure.ts';
import type { GuestSpec } from '../workload/programs.ts';
import { Journal } from './journal.ts';

/** The source's journal of one migration, or nothing at all where none is asked for. */
export class SourceJournal {
  /** What a reader of the record must know of it. */
  readonly notes: string[] = [];
  readonly #journal: Journal | undefined;
  #hasEnded = false;

  private constructor(journal: Journal | undefined) {
    this.#journal = journal;
  }

  /**
   * @param journals the folder where a journal is kept; without it, none is
   * @throws Failure the guest is in a migration that has not ended, or the journal cannot be written
   */
  static async begin(
    journals: string | undefined,
    migration: string,
    { name, pages, pageSizeBytes }: Pick<GuestSpec, 'name' | 'pages' | 'pageSizeBytes'>,
    destination: { readonly host: string; readonly port: number },
  ): Promise<SourceJournal> {
    if (journals === undefined) return new SourceJournal(undefined);
    const peer = `${destination.host}:${destination.port}`;
    const begun = { migration, guest: name, pages, pageSizeBytes, peer };
    return new SourceJournal(await Journal.atSource(journals, begun));
  }

  /** Returns when the entry is as safe as it must be. @throws Failure it may not be there. */
  write(entry: JournalEntry): void {
    this.#journal?.write(entry);
  }

  /** Where the guest is has been decided: that must not depend on a disk. After the end of the migration it says nothing more. */
  remark(entry: JournalEntry, why?: string): void {
    if (this.#hasEnded) return;
    try {
      this.#journal?.write(entry, why);
      this.#hasEnded = isClosing(entry);
    } catch (cause) {
      this.notes.push(`the journal lacks '${entry}': ${reasonOf(cause)}`);
    }
  }

  /** For a last word after it was closed without one. */
  reopen(): void {
    this.#journal?.reopen();
  }

  close(): void {
    this.#journal?.close();
  }

  /** Nothing more is done with the migration here. */
  letGo(): void {
    this.#journal?.letGo();
  }
}
