import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BadDefinition } from '../core/registry.ts';
import { reasonOf } from './failure.ts';
import { UsageError } from './problem.ts';
import { shortPath } from './short-path.ts';

/** A user's own module, which registers page orders and stop rules when it is loaded. */
export interface UsedFile {
  /** As its user named it. */
  readonly file: string;
  readonly path: string;
}

const used: UsedFile[] = [];

/** What was loaded so far. */
export function usedFiles(): readonly UsedFile[] {
  return used;
}

/**
 * Loads modules of a user, so that the page orders and stop rules which they register can be named: in this thread, and
 * in those that are started later to carry out sweeps and experiments.
 * @param files a module that was loaded already is passed over
 * @throws UsageError it is not there, or cannot be loaded
 */
export async function use(files: readonly (string | URL)[]): Promise<void> {
  await useAgain(
    files.map((file) => {
      const path = file instanceof URL ? fileURLToPath(file) : resolve(file);
      return { file: file instanceof URL ? shortPath(path) : file, path };
    }),
  );
}

/** In a thread: what the one that started it had loaded. @throws UsageError as `use` */
export async function useAgain(files: readonly UsedFile[]): Promise<void> {
  for (const { file, path } of files) {
    if (used.some((other) => other.path === path)) continue;
    if (!existsSync(path)) refuse(file, 'a JavaScript module', 'no such file');
    await load(file, path);
    used.push({ file, path });
  }
}

async function load(file: string, path: string): Promise<void> {
  try {
    await import(pathToFileURL(path).href);
  } catch (cause) {
    if (cause instanceof BadDefinition) {
      throw new UsageError(
        cause.problems.map((problem) => ({ ...problem, path: `--use ${file}: ${problem.path}` })),
      );
    }
    const line = cause instanceof Error ? cause.stack?.split(`${path}:`)[1]?.match(/^\d+/)?.[0] : undefined;
    refuse(file, 'a module that can be loaded', reasonOf(cause) + (line ? ` (line ${line})` : ''));
  }
}

function refuse(file: string, expected: string, found: string): never {
  throw new UsageError([{ path: `--use ${file}`, expected, found }]);
}
