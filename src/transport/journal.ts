import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { durable, isClosing, type JournalEntry } from '../core/wire/ownership.ts';
import { Failure, orFailure } from '../platform/failure.ts';
import { makeFolders } from '../platform/paths.ts';
import { lives, thisProcess } from '../platform/process-identity.ts';
import { type Begun, begunText, entryText, journalName, readFolder } from './journal-file.ts';

/**
 * One end's journal of one migration: a file of its own to which a line is appended for every entry. Appending
 * costs one sync while the guest is paused; writing anew and renaming would cost two and a second file. The folder
 * is synced when the file is made, long before the guest is stopped.
 */
export class Journal {
  readonly #file: string;
  readonly #begun: Begun;
  #descriptor: number | undefined;
  #lengthBytes = 0;

  private constructor(file: string, begun: Begun, descriptor: number) {
    this.#file = file;
    this.#begun = begun;
    this.#descriptor = descriptor;
  }

  /**
   * The source's. Made before it reads the others, so that of two that begin at once at most one goes on.
   * @throws Failure the guest is in a migration that has not ended, or the journal cannot be written
   */
  static atSource(folder: string, begun: Omit<Begun, 'end' | 'process'>): Journal {
    const journal = Journal.#begin(folder, { ...begun, end: 'source', process: thisProcess() });
    try {
      refuseSecond(folder, journal.#begun);
    } catch (cause) {
      journal.close();
      unlinkSync(journal.#file);
      throw cause;
    }
    return journal;
  }

  /** @throws Failure the migration was here before, or the journal cannot be written. */
  static atDestination(folder: string, begun: Omit<Begun, 'end' | 'process'>): Journal {
    return Journal.#begin(folder, { ...begun, end: 'destination', process: thisProcess() });
  }

  static #begin(folder: string, begun: Begun): Journal {
    const file = join(folder, journalName(begun));
    return orFailure(`cannot write ${file}`, () => {
      const made = makeFolders(folder);
      const journal = new Journal(file, begun, openSync(file, 'wx'));
      journal.#append(begunText(begun), true);
      syncFolder(folder);
      if (made !== undefined) syncFolder(dirname(resolve(made)));
      return journal;
    });
  }

  /** Returns when the entry is as safe as it must be. @throws Failure it may not be there. */
  write(entry: JournalEntry, why?: string): void {
    this.#append(entryText(entry, why), durable[this.#begun.end].has(entry));
    if (isClosing(entry)) this.close();
  }

  /** For a last word after it was closed without one. @throws Failure it is not there any more */
  reopen(): void {
    this.#descriptor ??= orFailure(`cannot write ${this.#file}`, () => openSync(this.#file, 'r+'));
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** At its place, so that a line which a full disk has cut short is written over by the next one. */
  #append(text: string, sync: boolean): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new Failure(`${this.#file} is closed`);
    const bytes = Buffer.from(text);
    orFailure(`cannot write ${this.#file}`, () => {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(descriptor, bytes, at, bytes.length - at, this.#lengthBytes + at);
      }
      this.#lengthBytes += bytes.length;
      if (sync) fsyncSync(descriptor);
    });
  }
}

/** A file's name is safe once its folder is. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A guest that somebody else is migrating, or that a commit may have given away, is not ours to migrate. One whose
 * process died before its commit is the source's, and may be started and migrated again.
 */
function refuseSecond(folder: string, { migration, guest }: Begun): void {
  for (const { begun, last, file } of readFolder(folder).journals) {
    const same = begun.end === 'source' && begun.guest === guest && begun.migration !== migration;
    if (!same || isClosing(last)) continue;
    const { pid, host } = begun.process;
    if (lives(begun.process) !== false) {
      throw new Failure(
        `guest '${guest}' is being migrated already, by process ${pid} on ${host} (${file}): wait for it, or end it and run 'switchover recover ${folder}'`,
      );
    }
    if (last === 'commit' || last === 'running') {
      throw new Failure(
        `guest '${guest}' may be at its destination: an earlier migration ended after its commit (${file}); settle it with 'switchover recover ${folder}'`,
      );
    }
  }
}
