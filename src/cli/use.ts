import type { Command } from 'commander';
import { orderRegistry } from '../core/migration/order/orders.ts';
import { stopRuleRegistry } from '../core/migration/stop/stops.ts';
import { packageFolder } from '../platform/package.ts';
import { UsageError } from '../platform/problem.ts';
import { use } from '../platform/used-files.ts';

/** Adds `--use FILE` to a command: a user's own page orders and stop rules, known before the command begins. */
export function withUse(command: Command): Command {
  return command
    .option(
      '--use <file>',
      'load a JavaScript module of yours that registers page orders or stop rules; may be repeated',
      (file, files: readonly string[] = []) => [...files, file],
    )
    .hook('preAction', async () => {
      const { use = [] } = command.opts<{ use?: readonly string[] }>();
      for (const file of new Set(use)) await useAny(file);
    });
}

/** @throws UsageError it cannot be loaded, or registers nothing */
async function useAny(file: string): Promise<void> {
  const before = known();
  await use([file]);
  if (known() > before) return;
  const expected = 'a module that calls registerOrder or registerStopRule';
  const found = `a module that registers nothing with the switchover in ${packageFolder}`;
  throw new UsageError([{ path: `--use ${file}`, expected, found }]);
}

function known(): number {
  return orderRegistry.names.length + stopRuleRegistry.names.length;
}
