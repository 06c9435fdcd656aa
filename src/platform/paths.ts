import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, reasonOf } from './failure.ts';

/**
 * Makes a folder, and those above it that are not there. mkdirSync's own `recursive` never returns where the folder above
 * is there and yet nothing can be made in it, as in /proc.
 * @returns the topmost of those that were made; undefined: it was there. @throws Failure it cannot be made
 */
export function makeFolders(folder: string): string | undefined {
  if (isFolder(folder)) return undefined;
  const above = dirname(folder);
  const topmost = above === folder ? undefined : makeFolders(above);
  try {
    mkdirSync(folder);
  } catch (cause) {
    // Somebody else may have made it meanwhile.
    if (!isFolder(folder)) throw new Failure(`cannot make folder ${folder}: ${reasonOf(cause)}`);
  }
  return topmost ?? folder;
}

/** A file's name is safe once its folder is on the disk. @throws the system's error */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
