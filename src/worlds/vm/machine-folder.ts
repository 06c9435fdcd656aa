import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { End } from '../../core/wire/handover.ts';

/** A file system in memory: a machine's RAM is a file in it. */
const MEMORY_FILES = '/dev/shm';
const PREFIX = 'switchover-';

/** Where the machine of one end of a migration keeps its files: who knows the migration finds them after a crash. */
export function machineFolder(migration: string, end: End): string {
  return join(MEMORY_FILES, `${PREFIX}${migration}-${end}`);
}

/** Only this user can look into it. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o700 });
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
