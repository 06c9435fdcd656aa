import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Life } from '../core/life.ts';
import type { JournalEntry } from '../core/wire/ownership.ts';
import { orFailure, reasonOf } from '../platform/failure.ts';
import { lifeOf } from '../platform/life-sign.ts';
import type { ProcessIdentity } from '../platform/process-identity.ts';
import {
  type Damage,
  entryText,
  type JournalContent,
  type JournalName,
  journalContent,
  journalNameOf,
  MOST_JOURNAL_BYTES,
  saysClosed,
} from './journal-file.ts';

/** A journal as it was found on disk. */
export interface JournalFile {
  readonly folder: string;
  readonly file: string;
  readonly name: JournalName;
  readonly content: JournalContent | Damage;
  /** Its process, asked before the content was read: of one that had ended, no line can be missing. */
  readonly life: Life;
}

/** A journal's place, before it is read. */
interface Place {
  readonly folder: string;
  readonly file: string;
  readonly name: JournalName;
}

/** @throws Failure there is no such folder */
export function journalsIn(folder: string): readonly Place[] {
  const files = orFailure(`cannot read journals in ${folder}`, () =>
    readdirSync(folder, { withFileTypes: true }),
  );
  return files
    .flatMap((found) => {
      const name = found.isFile() ? journalNameOf(found.name) : undefined;
      return name ? [{ folder, file: join(folder, found.name), name }] : [];
    })
    .sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** Whether it is there, and its last line does not close it. */
export function isOpen({ file }: Place): boolean {
  const bytes = bytesOf(file);
  return bytes !== undefined && !(Buffer.isBuffer(bytes) && saysClosed(bytes));
}

/**
 * Asks the processes of these journals whether they live, and after that reads the journals.
 * @param declaredDead names of processes of which their user says that they have ended
 */
export async function readJournals(
  places: readonly Place[],
  declaredDead: readonly string[] = [],
): Promise<readonly JournalFile[]> {
  const asked = new Map<string, Life>();
  for (const place of places) {
    const process = contentOf(place)?.begun?.process;
    if (!process || asked.has(signAt(place.folder, process))) continue;
    const life = await lifeOf(place.folder, process);
    const isDeclaredDead = life === 'unknown' && declaredDead.includes(process.name);
    asked.set(signAt(place.folder, process), isDeclaredDead ? 'has ended' : life);
  }
  return places.flatMap((place) => {
    const content = contentOf(place);
    if (!content) return [];
    const life = content.begun && asked.get(signAt(place.folder, content.begun.process));
    return [{ ...place, content, life: life ?? 'unknown' }];
  });
}

function signAt(folder: string, { name, socket }: ProcessIdentity): string {
  return [folder, name, socket].join('\n');
}

/** Undefined: it was withdrawn meanwhile. */
function contentOf({ file, name }: Place): JournalContent | Damage | undefined {
  const bytes = bytesOf(file);
  return Buffer.isBuffer(bytes) ? journalContent(name, bytes) : bytes;
}

/** Of a file that is longer than any journal, a little more than that. Undefined: it was withdrawn meanwhile. */
function bytesOf(file: string): Buffer | Damage | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const lengthBytes = readSync(descriptor, room, 0, room.length, 0);
    return Buffer.from(room.subarray(0, lengthBytes));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { damage: `it cannot be read: ${reasonOf(cause)}`, begun: undefined, isEmpty: false };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const room = Buffer.alloc(MOST_JOURNAL_BYTES + 1);

/** Adds a durable entry to a journal whose process has ended, over a torn last line if there is one. */
export function closeJournal(
  { file, wholeBytes }: Pick<JournalFile, 'file'> & Pick<JournalContent, 'wholeBytes'>,
  entry: JournalEntry,
  why: string,
): void {
  orFailure(`cannot write ${file}`, () => {
    const descriptor = openSync(file, 'r+');
    try {
      ftruncateSync(descriptor, wholeBytes);
      writeSync(descriptor, entryText(entry, why), wholeBytes);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}
