import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { makeFolders } from '../platform/paths.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';

/** One thing that happened here. */
export type EventLogEntry =
  | { readonly kind: 'guest'; readonly event: 'booted' | 'arrived'; readonly guest: GuestDefinition }
  | { readonly kind: 'guest'; readonly event: 'left' | 'removed' | 'died'; readonly name: string }
  | { readonly kind: 'begun'; readonly id: string; readonly metadata: RunMetadata; readonly to: string }
  | { readonly kind: 'ended'; readonly id: string; readonly record: MigrationRecord };

/** What a daemon knows of the time before it started. */
export interface Past {
  /** Guests that lived here when the last line was written. */
  readonly guests: ReadonlyMap<string, GuestDefinition>;
  /** Guests that have left for another host, or were removed, and have not come back. */
  readonly gone: ReadonlySet<string>;
  /** Migrations of which no end was written. */
  readonly unfinished: ReadonlyMap<string, { readonly metadata: RunMetadata; readonly to: string }>;
  readonly records: readonly { readonly id: string; readonly record: MigrationRecord }[];
}

const KEPT_RECORDS = 500;

/**
 * What has happened to this daemon's guests and migrations, a line each. Nothing is synced: what a killed process has
 * written is in the kernel's hands. Who owns a guest is not decided by this file but by the journals of both ends,
 * which are.
 */
export class EventLog {
  readonly past: Past;
  readonly #file: string;

  private constructor(file: string, past: Past) {
    this.#file = file;
    this.past = past;
  }

  /** Reads what was written and begins anew with what of it still matters. @throws Failure that cannot be done */
  static open(folder: string): EventLog {
    const file = join(folder, 'diary.ndjson');
    try {
      makeFolders(folder);
      const past = pastOf(existsSync(file) ? readFileSync(file, 'utf8') : '');
      writeFileSync(`${file}.new`, worthKeeping(past).map(line).join(''));
      renameSync(`${file}.new`, file);
      return new EventLog(file, past);
    } catch (cause) {
      throw new Failure(`cannot keep an event log in ${folder}: ${reasonOf(cause)}`);
    }
  }

  write(entry: EventLogEntry): void {
    appendFileSync(this.#file, line(entry));
  }
}

function line(entry: EventLogEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** A last line that a crash has cut short says nothing. */
function pastOf(text: string): Past {
  const guests = new Map<string, GuestDefinition>();
  const gone = new Set<string>();
  const unfinished = new Map<string, { metadata: RunMetadata; to: string }>();
  const records: { id: string; record: MigrationRecord }[] = [];
  for (const written of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (written === '') continue;
    const entry = JSON.parse(written) as EventLogEntry;
    if (entry.kind === 'begun') unfinished.set(entry.id, entry);
    else if (entry.kind === 'ended') {
      unfinished.delete(entry.id);
      records.push({ id: entry.id, record: entry.record });
    } else if ('guest' in entry) {
      guests.set(entry.guest.guest.name, entry.guest);
      gone.delete(entry.guest.guest.name);
    } else {
      guests.delete(entry.name);
      if (entry.event === 'died') gone.delete(entry.name);
      else gone.add(entry.name);
    }
  }
  return { guests, gone, unfinished, records: records.slice(-KEPT_RECORDS) };
}

function worthKeeping({ guests, gone, unfinished, records }: Past): readonly EventLogEntry[] {
  return [
    ...[...guests.values()].map((guest): EventLogEntry => ({ kind: 'guest', event: 'booted', guest })),
    ...[...gone].map((name): EventLogEntry => ({ kind: 'guest', event: 'left', name })),
    ...[...unfinished].map(([id, begun]): EventLogEntry => ({ kind: 'begun', id, ...begun })),
    ...records.map(({ id, record }): EventLogEntry => ({ kind: 'ended', id, record })),
  ];
}
