import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { End } from '../core/wire/handover.ts';
import { misplacedEntry } from '../core/wire/journal-order.ts';
import { isClosing, type JournalEntry, journalEntries } from '../core/wire/ownership.ts';
import { Failure } from '../platform/failure.ts';
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

/** What the name of a journal says: whatever has become of its content, whose it is is known. */
export interface JournalName {
  readonly migration: string;
  readonly end: End;
  /** The guest as file names have it. Undefined: an earlier version did not write it there. */
  readonly guest: string | undefined;
}

/** What a journal says. */
export interface JournalContent {
  readonly begun: Begun;
  readonly last: JournalEntry;
  /** Bytes of whole lines. */
  readonly wholeBytes: number;
  /** Bytes of a last line that was cut short by a crash. */
  readonly tornBytes: number;
}

/** A journal that says nothing that can be relied on. */
export interface Damage {
  /** Where, and how. */
  readonly damage: string;
  /** As far as the first line can be read. */
  readonly begun: Begun | undefined;
  /** Not one line of it is whole. */
  readonly isEmpty: boolean;
}

/** Seven lines, of which the longest says why. */
export const MOST_JOURNAL_BYTES = 64 * 1024;

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
  entry: z.enum(journalEntries),
  at: z.string(),
  why: z.string().optional(),
});

/** The file of a journal, in its folder. */
export function journalFileName({
  migration,
  guest,
  end,
}: Pick<Begun, 'migration' | 'guest' | 'end'>): string {
  return `${migration}.${guestInFileName(guest)}.${end}.ndjson`;
}

/** Undefined: the file is no journal. */
export function journalNameOf(file: string): JournalName | undefined {
  const found = /^([^.]+)(?:\.(.*))?\.(source|destination)\.ndjson$/.exec(file);
  return found ? { migration: found[1]!, guest: found[2], end: found[3] as End } : undefined;
}

const LONGEST_GUEST = 150;

/** A name for a file has at most 255 bytes. */
export function guestInFileName(guest: string): string {
  const text = encodeURIComponent(Buffer.from(guest).toString());
  if (text.length <= LONGEST_GUEST) return text;
  return `${text.slice(0, 100)}~${createHash('sha256').update(guest).digest('hex').slice(0, 16)}`;
}

/** The guest's name as well as a file name tells it. */
export function guestFromFileName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function begunText(begun: Begun): string {
  return line({ schema: SCHEMA, entry: 'begun', at: new Date().toISOString(), ...begun });
}

export function entryText(entry: JournalEntry, why?: string): string {
  return line({ entry, at: new Date().toISOString(), ...(why !== undefined && { why }) });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Whether its last whole line closes it. Quick: a folder may have very many that are closed. */
export function saysClosed(bytes: Buffer): boolean {
  const end = bytes.lastIndexOf(10);
  const text = bytes.toString('utf8', bytes.lastIndexOf(10, end - 1) + 1, Math.max(0, end));
  try {
    return isClosing(JSON.parse(text).entry);
  } catch {
    return false;
  }
}

/** What a journal says, all of it checked: each line, their order, and that they are about what the file is named after. */
export function journalContent(name: JournalName, bytes: Buffer): JournalContent | Damage {
  let begun: Begun | undefined;
  const wholeBytes = bytes.lastIndexOf(10) + 1;
  try {
    if (bytes.length > MOST_JOURNAL_BYTES) throw new Failure(`more than ${MOST_JOURNAL_BYTES} bytes`);
    if (wholeBytes === 0) throw new Failure('no complete line');
    const [first, ...rest] = bytes.toString('utf8', 0, wholeBytes - 1).split('\n');
    const { schema: _, entry: __, at: ___, ...said } = parsed(begunLine, first!, 1);
    begun = said;
    checkName(name, said);
    const entries = [
      'begun' as JournalEntry,
      ...rest.map((text, at) => parsed(laterLine, text, at + 2).entry),
    ];
    const misplaced = misplacedEntry(name.end, entries);
    if (misplaced !== undefined) {
      throw new Failure(`line ${misplaced + 1}: '${entries[misplaced]}' after '${entries[misplaced - 1]}'`);
    }
    return { begun, last: entries.at(-1)!, wholeBytes, tornBytes: bytes.length - wholeBytes };
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    return { damage: cause.message, begun, isEmpty: wholeBytes === 0 };
  }
}

function parsed<T>(schema: z.ZodType<T>, text: string, number: number): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Failure(`line ${number}: not JSON`);
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new Failure(`line ${number}: ${[...path, message].join(': ')}`);
}

/** @throws Failure the file has the name of another migration, end or guest */
function checkName({ migration, end, guest }: JournalName, begun: Begun): void {
  const isNamedSo =
    begun.migration === migration &&
    begun.end === end &&
    (guest === undefined || guest === guestInFileName(begun.guest));
  if (!isNamedSo)
    throw new Failure('line 1: of another migration, end or guest than its file is named after');
}
