import { isAbsolute, relative } from 'node:path';

/** A file as a command names it: from the working folder if it is below, so that what is printed can be read. */
export function shortPath(file: string): string {
  const path = relative('', file);
  return path.startsWith('..') || isAbsolute(path) ? file : path;
}
