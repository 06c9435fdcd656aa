import type { Command } from 'commander';
import { inputLimits } from '../core/input-limits.ts';
import { formatDuration } from '../core/units.ts';
import { Failure } from '../platform/failure.ts';
import { linesOf } from '../platform/lines.ts';
import { decodeTraceLine, migrationsOf, replay, type TraceLine } from '../run/trace.ts';
import type { Exit } from './exit.ts';
import { print } from './standard-streams.ts';

/** `switchover replay FILE`: gives today's migration the step results of a recorded one, and says whether it agrees. */
export function replayCommand(command: Command, exit: Exit): void {
  command.argument('<file>', 'trace (NDJSON)').action((file: string) => exit(action(file)));
}

function action(file: string): number {
  let migrations = 0;
  let differences = 0;
  for (const migration of migrationsOf(traceLinesOf(file))) {
    migrations += 1;
    const { steps, result, difference } = replay(migration);
    if (difference !== undefined) differences += 1;
    const found = result ? `${result.outcome}, downtime ${formatDuration(result.downtimeNs)}` : 'no result';
    print(`migration ${migrations}: ${steps} steps, ${found}: ${difference ?? 'the same'}`);
  }
  if (migrations === 0) throw new Failure(`${file}: no migration in it`);
  return differences === 0 ? 0 : 1;
}

function* traceLinesOf(file: string): Generator<TraceLine> {
  let number = 0;
  for (const { text } of linesOf(file, inputLimits.traceLineBytes)) {
    number += 1;
    if (number > 1 && text === '') continue;
    yield decodeTraceLine(text, `${file}:${number}`);
  }
}
