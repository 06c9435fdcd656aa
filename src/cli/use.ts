import type { Command } from 'commander';
import { use } from '../platform/used-files.ts';

/** Adds `--use FILE` to a command: a user's own page orders and stop rules, known before the command begins. */
export function withUse(command: Command): Command {
  return command
    .option(
      '--use <file>',
      'load a JavaScript module of yours that registers page orders or stop rules; may be repeated',
      (file, files: readonly string[]) => [...files, file],
      [] as readonly string[],
    )
    .hook('preAction', async () => use(command.opts<{ use: readonly string[] }>().use));
}
