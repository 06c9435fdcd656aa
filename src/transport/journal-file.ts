import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { End } from '../core/wire/handover.ts';
import { type JournalEntry, journalEntries } from '../core/wire/ownership.ts';
import { timestamp } from '../platform/clock.ts';
import { Failure, orFailure, reasonOf } from '../platform/failure.ts';
import { type ProcessIdentity, processSchema } from '../platform/process-identity.ts';

/** The first line of a journal: what is being migrated, by whom, and to or from where. */
export interface Begun {
  readonly migration: string;
  readonly end: End;
  readonly guest: string;
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** The other end's address. */
  readonly peer: string;
  readonly process: ProcessIdentity;
}

/** A journal as it was found on disk. */
export interface JournalFile {
  readonly file: string;
  readonly begun: Begun;
  readonly last: JournalEntry;
  /** Bytes of whole lines. */
  readonly wholeBytes: number;
  /** Bytes of a last line that was cut short by a crash. */
  readonly tornBytes: number;
}

const SCHEMA = 'switchover.journal/1';

const begunLine = z.strictObject({
  schema: z.literal(SCHEMA),
  entry: z.literal('begun'),
  at: z.string(),
  migration: z.uuid(),
  end: z.enum(['source', 'destination']),
  guest: z.string(),
  pages: z.number().int().positive(),
  pageSizeBytes: z.number().int().positive(),
  peer: z.string(),
  process: processSchema,
});

const laterLine = z.strictObject({
  entry: z.enum(journalEntries).exclude(['begun']),
  at: z.string(),
  why: z.string().optional(),
});

export function journalName({ migration, end }: Pick<Begun, 'migration' | 'end'>): string {
  return `${migration}.${end}.ndjson`;
}

export function begunText(begun: Begun): string {
  return line({ schema: SCHEMA, entry: 'begun', at: timestamp(), ...begun });
}

export function entryText(entry: JournalEntry, why?: string): string {
  return line({ entry, at: timestamp(), ...(why !== undefined && { why }) });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** What lies in a folder: journals, and files in which not even the first line is whole. */
export interface JournalFolder {
  readonly journals: readonly JournalFile[];
  readonly empty: readonly string[];
}

/** @throws Failure there is no such folder, or a journal in it is damaged. */
export function readFolder(folder: string): JournalFolder {
  const names = orFailure(`cannot read journals in ${folder}`, () => readdirSync(folder));
  const files = names.filter((name) => /\.(source|destination)\.ndjson$/.test(name)).sort();
  const read = files.map((name) => ({ file: join(folder, name), journal: readJournal(join(folder, name)) }));
  return {
    journals: read.flatMap(({ journal }) => journal ?? []),
    empty: read.filter(({ journal }) => !journal).map(({ file }) => file),
  };
}

/** Undefined: it holds no whole line, so nothing had begun. @throws Failure the file is damaged. */
function readJournal(file: string): JournalFile | undefined {
  const bytes = readBytes(file);
  const wholeBytes = bytes.lastIndexOf(10) + 1;
  if (wholeBytes === 0) return undefined;
  const [first, ...rest] = bytes
    .subarray(0, wholeBytes - 1)
    .toString('utf8')
    .split('\n');
  const { schema: _, entry: __, at: ___, ...begun } = parsed(begunLine, first!, `${file}:1`);
  let last: JournalEntry = 'begun';
  for (const [index, text] of rest.entries()) last = parsed(laterLine, text, `${file}:${index + 2}`).entry;
  return { file, begun, last, wholeBytes, tornBytes: bytes.length - wholeBytes };
}

/** A journal may be withdrawn while the folder is read. */
function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw new Failure(`cannot read ${file}: ${reasonOf(cause)}`);
  }
}

function parsed<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Failure(`${where}: damaged: not JSON`);
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new Failure(`${where}: damaged: ${[...path, message].join(': ')}`);
}

/** Adds a durable entry to a journal whose process has ended, over a torn last line if there is one. */
export function closeJournal({ file, wholeBytes }: JournalFile, entry: JournalEntry, why: string): void {
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
