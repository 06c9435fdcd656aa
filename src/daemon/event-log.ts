import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { inputLimits } from '../core/input-limits.ts';
import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { linesOf } from '../platform/lines.ts';
import { makeFolders } from '../platform/paths.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { NotAdmitted } from './admission.ts';
import { type EventLogEntry, eventLogEntryOf } from './event-log-entry.ts';
import type { EstimateView } from './migration-schemas.ts';
import { ReservedLineFile } from './reserved-line-file.ts';
import type { PlannedTarget } from './target-schemas.ts';

/** What a daemon knows of the time before it started. */
export interface Past {
  /** Guests that lived here when the last line was written. */
  readonly guests: ReadonlyMap<string, GuestDefinition>;
  /** Guests that have left for another host, or were removed, and have not come back. */
  readonly gone: ReadonlySet<string>;
  /** Migrations of which no end was written. */
  readonly unfinished: ReadonlyMap<string, Unfinished>;
  readonly records: readonly PastRecord[];
  /** Lines that could not be read, each by its place. */
  readonly damaged: readonly string[];
}

interface Unfinished {
  readonly metadata: RunMetadata;
  readonly to: string;
  readonly target: PlannedTarget | null;
}

interface PastRecord {
  readonly id: string;
  readonly record: MigrationRecord;
  readonly unguaranteed: EstimateView | null;
  readonly target: PlannedTarget | null;
}

const KEPT_RECORDS = 500;
/** So often it is looked whether the disk is full, or not any more. */
const LOOK_EVERY_MS = 5_000;

/**
 * What has happened to this daemon's guests and migrations, a line each. That a migration begins is synced: then the
 * journals of both ends, which are too, decide who owns the guest. Of everything else, what a killed process has written
 * is in the kernel's hands.
 *
 * What cannot be written stops nothing. It waits until it can be, and until then nothing new is taken
 * (docs/decisions/049-room-for-the-last-word.md).
 */
export class EventLog {
  readonly past: Past;
  readonly #file: ReservedLineFile;
  readonly #unwritten: string[] = [];
  readonly #looking = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  #trouble: string | null = null;
  #changed: (trouble: string | null) => void = () => {};

  private constructor(file: ReservedLineFile, past: Past) {
    this.#file = file;
    this.past = past;
  }

  /**
   * Reads what was written and begins anew with what of it still matters. A line that cannot be read is left out, and the
   * file as it was is kept beside it.
   * @throws Failure it cannot be read or written at all
   */
  static open(folder: string): EventLog {
    const file = join(folder, 'diary.ndjson');
    try {
      makeFolders(folder);
      const past = pastOf(file);
      if (past.damaged.length > 0) copyFileSync(file, `${file}.damaged`);
      return new EventLog(new ReservedLineFile(file, worthKeeping(past).map(line).join('')), past);
    } catch (cause) {
      throw new Failure(`cannot keep an event log in ${folder}: ${reasonOf(cause)}`);
    }
  }

  /** Why entries cannot be written, or no more of them could be. null: they can. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** @param changed told whenever there is trouble, other trouble, or none any more */
  watch(changed: (trouble: string | null) => void): void {
    this.#changed = changed;
  }

  /** Never fails: an entry that cannot be written now is written before all others, as soon as it can be. */
  write(entry: EventLogEntry): void {
    this.#unwritten.push(line(entry));
    this.look();
  }

  /** Returns when the entry survives a power cut. @throws NotAdmitted it may not, and waits for nothing */
  record(entry: EventLogEntry): void {
    this.insistOnRoom();
    try {
      this.#file.append(line(entry));
      this.#file.sync();
    } catch (cause) {
      throw new NotAdmitted('disk', reasonOf(cause));
    }
  }

  /** Writes what has to be written, and looks whether there is room for more. */
  look(): void {
    let trouble: string | null = null;
    try {
      this.#writeDown();
      this.#file.reserve();
    } catch (cause) {
      trouble = reasonOf(cause);
    }
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#changed(trouble);
  }

  /** @throws NotAdmitted something new could not be written down */
  insistOnRoom(): void {
    this.look();
    if (this.#trouble !== null) throw new NotAdmitted('disk', `nothing new is taken: ${this.#trouble}`);
  }

  /** Nothing more will happen. @throws Failure not all that happened is written */
  close(): void {
    clearInterval(this.#looking);
    const entries = this.#unwritten.length;
    try {
      this.#writeDown();
    } catch (cause) {
      throw new Failure(`${entries} entries of the event log are lost: ${reasonOf(cause)}`);
    } finally {
      this.#file.close();
    }
  }

  #writeDown(): void {
    while (this.#unwritten.length > 0) {
      this.#file.append(this.#unwritten[0]!);
      this.#unwritten.shift();
    }
  }
}

function line(entry: EventLogEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** A last line that a crash has cut short says nothing. */
function pastOf(file: string): Past {
  const guests = new Map<string, GuestDefinition>();
  const gone = new Set<string>();
  const unfinished = new Map<string, Unfinished>();
  const records = new Map<string, PastRecord>();
  const damaged: string[] = [];
  for (const [number, written] of existsSync(file) ? numbered(file) : []) {
    const entry = eventLogEntryOf(written);
    if (!entry) damaged.push(`${file}:${number}`);
    else if (entry.kind === 'begun') unfinished.set(entry.id, { ...entry, target: entry.target ?? null });
    else if (entry.kind === 'ended') {
      const { id, record, target = null } = entry;
      unfinished.delete(id);
      records.set(id, { id, record, unguaranteed: null, target });
    } else if (entry.kind === 'compared') {
      const past = records.get(entry.id);
      if (past) records.set(entry.id, { ...past, unguaranteed: entry.unguaranteed });
    } else if ('guest' in entry) {
      guests.set(entry.guest.guest.name, entry.guest);
      gone.delete(entry.guest.guest.name);
    } else {
      guests.delete(entry.name);
      if (entry.event === 'died') gone.delete(entry.name);
      else gone.add(entry.name);
    }
  }
  return { guests, gone, unfinished, records: [...records.values()].slice(-KEPT_RECORDS), damaged };
}

/** The lines that are neither blank nor cut short. */
function* numbered(file: string): Generator<readonly [number: number, text: string]> {
  let number = 0;
  for (const { text, endsAt } of linesOf(file, inputLimits.recordLineBytes)) {
    number += 1;
    if (endsAt !== undefined && text.trim() !== '') yield [number, text];
  }
}

function worthKeeping({ guests, gone, unfinished, records }: Past): readonly EventLogEntry[] {
  return [
    ...[...guests.values()].map((guest): EventLogEntry => ({ kind: 'guest', event: 'booted', guest })),
    ...[...gone].map((name): EventLogEntry => ({ kind: 'guest', event: 'left', name })),
    ...[...unfinished].map(
      ([id, { metadata, to, target }]): EventLogEntry => ({ kind: 'begun', id, metadata, to, target }),
    ),
    ...records.flatMap(({ id, record, unguaranteed, target }): EventLogEntry[] => [
      { kind: 'ended', id, record, target },
      ...(unguaranteed ? [{ kind: 'compared', id, unguaranteed } as const] : []),
    ]),
  ];
}
