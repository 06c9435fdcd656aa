import type { Random } from '../../../src/core/random.ts';
import { type JournalEntry, journalEntries } from '../../../src/core/wire/ownership.ts';
import {
  type Begun,
  begunText,
  entryText,
  journalContent,
  journalFileName,
  journalNameOf,
} from '../../../src/transport/journal-file.ts';
import type { SimulatedProcess } from './simulated-process.ts';

const begunOf = (end: Begun['end']): Begun => ({
  migration: '5e2ba0f4-9f5c-4a70-8a54-0d0f6f2c1a11',
  end,
  guest: 'web',
  pages: 4,
  pageSizeBytes: 4096,
  peer: '192.0.2.1:4000',
  process: { name: 'alpha-17-00c0ffee', host: 'alpha', pid: 17, boot: 'one', socket: '1 1' },
});

/** What the disk has done to a journal: what there was then, damaged, and since when lines are appended to it. */
export interface DamagedJournal {
  readonly bytes: Buffer;
  readonly entries: number;
}

/** Bytes changed, zeroed or lost, lines lost, repeated, exchanged or made up; of what a sync had made safe, no end is cut off. */
export function damaged(process: SimulatedProcess, random: Random): DamagedJournal {
  const lines = textOf(process).split('\n').slice(0, -1);
  const at = random.below(lines.length);
  const kinds: (() => Buffer)[] = [
    () => changedBytes(text(lines), random),
    () => text(at < lines.length - 1 ? lines.toSpliced(at, 1) : lines),
    () => text(lines.toSpliced(at, 0, lines[at]!)),
    () => text(at > 0 ? lines.toSpliced(at - 1, 2, lines[at]!, lines[at - 1]!) : lines),
    () => text(lines.toSpliced(at, 0, '{"entry":"running","at":""}')),
    () => text(lines.toSpliced(at, 0, '\0garbage')),
    () => Buffer.alloc(0),
  ];
  return { bytes: kinds[random.below(kinds.length)]!(), entries: process.journal.length };
}

function text(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** The last line's end stays: without it, it would be a line that a crash has cut short. */
function changedBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length - 1);
  const until = Math.min(bytes.length - 1, at + 1 + random.below(3));
  for (let index = at; index < until; index++) bytes[index] = random.happens(0.3) ? 0 : random.below(256);
  return bytes;
}

function textOf({ end, journal }: SimulatedProcess): string {
  return journal.map((entry, index) => (index === 0 ? begunText(begunOf(end)) : entryText(entry))).join('');
}

/** What the reader makes of a damaged journal. Undefined: it sees that it is. @param whole or only the last line */
export function lastRead(process: SimulatedProcess, whole: boolean): JournalEntry | undefined {
  const { end, journal, damage } = process;
  if (!damage) return process.last;
  const later = journal.slice(damage.entries).map((entry) => entryText(entry));
  const bytes = Buffer.concat([damage.bytes, Buffer.from(later.join(''))]);
  if (!whole) return lastLine(bytes);
  const content = journalContent(journalNameOf(journalFileName(begunOf(end)))!, bytes);
  return 'damage' in content ? undefined : content.last;
}

function lastLine(bytes: Buffer): JournalEntry | undefined {
  try {
    const { entry } = JSON.parse(bytes.toString().trimEnd().split('\n').at(-1)!);
    return journalEntries.includes(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}
