import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { durable, isClosing, type JournalEntry } from '../core/wire/ownership.ts';
import { Failure, orFailure, reasonOf } from '../platform/failure.ts';
import { syncFolder } from '../platform/paths.ts';
import { type Begun, begunText, entryText, journalFileName } from './journal-file.ts';
import { JournalSign } from './journal-sign.ts';
import { refuseSecond } from './second-migration.ts';

type NewJournal = Omit<Begun, 'end' | 'process'>;

/**
 * One end's journal of one migration: a file of its own to which a line is appended for every entry. Appending
 * costs one sync while the guest is paused; writing anew and renaming would cost two and a second file. The folder
 * is synced when the file is made, long before the guest is stopped.
 */
export class Journal {
  readonly #file: string;
  readonly #begun: Begun;
  readonly #sign: JournalSign;
  #descriptor: number | undefined;
  #lengthBytes: number;
  #isHeld = true;
  #isClosed = false;

  private constructor(file: string, begun: Begun, sign: JournalSign) {
    this.#file = file;
    this.#begun = begun;
    this.#sign = sign;
    this.#lengthBytes = writeBegun(file, begun);
    sign.open += 1;
    this.reopen();
  }

  /**
   * The source's. Made before it reads the others, so that of two that begin at once at most one goes on.
   * @throws Failure the guest is in a migration that has not ended, or the journal cannot be written
   */
  static async atSource(folder: string, begun: NewJournal): Promise<Journal> {
    const journal = await Journal.#begin(folder, { ...begun, end: 'source' });
    try {
      await refuseSecond(folder, journal.#begun);
      return journal;
    } catch (cause) {
      journal.#withdraw();
      throw cause;
    }
  }

  /** @throws Failure the migration was here before, or the journal cannot be written. */
  static atDestination(folder: string, begun: NewJournal): Promise<Journal> {
    return Journal.#begin(folder, { ...begun, end: 'destination' });
  }

  static async #begin(folder: string, begun: Omit<Begun, 'process'>): Promise<Journal> {
    const sign = await JournalSign.hold(folder);
    try {
      const file = join(folder, journalFileName(begun));
      return new Journal(file, { ...begun, process: sign.sign.process }, sign);
    } catch (cause) {
      sign.letGo();
      throw cause;
    }
  }

  /** Returns when the entry is as safe as it must be. @throws Failure it may not be there. */
  write(entry: JournalEntry, why?: string): void {
    this.#append(entryText(entry, why), durable[this.#begun.end].has(entry));
    if (isClosing(entry)) this.#conclude();
  }

  /** For a last word after it was closed without one. @throws Failure it is not there any more */
  reopen(): void {
    this.#descriptor ??= orFailure(`cannot write ${this.#file}`, () => openSync(this.#file, 'r+'));
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** Nothing more is done with the migration here. If its last word has not been said, this process stays in sight. */
  letGo(): void {
    if (!this.#isHeld || !this.#isClosed) return;
    this.#isHeld = false;
    this.#sign.letGo();
  }

  #withdraw(): void {
    rmSync(this.#file, { force: true });
    this.#conclude();
    this.letGo();
  }

  #conclude(): void {
    this.close();
    this.#isClosed = true;
    this.#sign.open -= 1;
  }

  /**
   * Nobody else writes here, unless its user has declared this process dead. What did not get to the disk as it
   * should is taken back, so that the next entry has its place.
   */
  #append(text: string, sync: boolean): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new Failure(`${this.#file} is closed`);
    const lengthBytes = this.#lengthBytes;
    if (fstatSync(descriptor).size !== lengthBytes) {
      throw new Failure(`${this.#file} was changed by somebody else: was this process declared dead?`);
    }
    const bytes = Buffer.from(text);
    orFailure(`cannot write ${this.#file}`, () => {
      try {
        for (let at = 0; at < bytes.length; ) {
          at += writeSync(descriptor, bytes, at, bytes.length - at, lengthBytes + at);
        }
        if (sync) fsyncSync(descriptor);
      } catch (cause) {
        ftruncateSync(descriptor, lengthBytes);
        throw cause;
      }
    });
    this.#lengthBytes += bytes.length;
  }
}

/**
 * Under another name until it is safe: a journal whose first line is not whole never was the trace of a crash.
 * @returns its length
 */
function writeBegun(file: string, begun: Begun): number {
  const unfinished = `${file}.new`;
  const text = begunText(begun);
  return orFailure(`cannot write ${file}`, () => {
    try {
      writeFileSync(unfinished, text, { flush: true });
      if (existsSync(file)) throw new Failure(`${file} is there already`);
      renameSync(unfinished, file);
    } finally {
      rmSync(unfinished, { force: true });
    }
    syncFolder(join(file, '..'));
    return Buffer.byteLength(text);
  });
}

/** The last word of a journal, if one is kept. @returns what to add to a line if it could not be written */
export function closingWord(
  journal: Journal | undefined,
  entry: 'aborted' | 'ended',
  reason?: string,
): string {
  try {
    journal?.write(entry, reason);
    return '';
  } catch (cause) {
    return `; ${reasonOf(cause)}`;
  }
}
