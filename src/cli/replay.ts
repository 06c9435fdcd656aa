import { Command } from 'commander';
import { formatDuration } from '../core/units.ts';
import { readText } from '../platform/text-file.ts';
import { decodeTraceLine, migrationsOf, replay } from '../run/trace.ts';
import { print } from './standard-streams.ts';

/** `switchover replay FILE`: gives today's migration the step results of a recorded one, and says whether it agrees. */
export function replayCommand(exit: (code: number) => void): Command {
  return new Command('replay')
    .description('replay a trace written by run --trace and check that steps and outcome are the same')
    .argument('<file>', 'trace (NDJSON)')
    .action((file: string) => exit(action(file)));
}

function action(file: string): number {
  const lines = readText(file)
    .trimEnd()
    .split('\n')
    .map((line, index) => decodeTraceLine(line, `${file}:${index + 1}`));
  let differences = 0;
  for (const [index, migration] of migrationsOf(lines).entries()) {
    const { steps, result, difference } = replay(migration);
    if (difference !== undefined) differences += 1;
    const found = result ? `${result.outcome}, downtime ${formatDuration(result.downtimeNs)}` : 'no result';
    print(`migration ${index + 1}: ${steps} steps, ${found}: ${difference ?? 'the same'}`);
  }
  return differences === 0 ? 0 : 1;
}
