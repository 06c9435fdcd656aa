import type { Command } from 'commander';
import { inputLimits } from '../core/input-limits.ts';
import { formatDuration } from '../core/units.ts';
import { Failure } from '../platform/failure.ts';
import { linesOf } from '../platform/lines.ts';
import { decodeTraceLine, migrationsOf, replay, type TraceLine } from '../run/trace.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { print } from './standard-streams.ts';

/** `switchover replay FILE`: gives today's migration the step results of a recorded one, and says whether it agrees. */
export function replayCommand(command: Command, exit: Exit): void {
  command
    .argument('<file>', 'trace (NDJSON)')
    .addOption(jsonOption())
    .addOption(wideOption())
    .action((file: string, options: OutputOptions) => exit(action(file, options)));
}

function action(file: string, options: OutputOptions): number {
  const migrations: Replayed[] = [];
  for (const migration of migrationsOf(traceLinesOf(file))) migrations.push(replayed(migration));
  if (migrations.length === 0) throw new Failure(`${file}: no migration in it`);
  if (writeJson(options.json, () => ({ migrations }))) {
    const lines = migrations.map(({ steps, outcome, downtimeNs, difference }, index) => {
      const found = outcome === null ? 'no result' : `${outcome}, downtime ${formatDuration(downtimeNs!)}`;
      return `migration ${index + 1}: ${steps} steps, ${found}: ${difference ?? 'the same'}`;
    });
    print(folded(lines.join('\n'), widthOf(options)));
  }
  return migrations.every(({ difference }) => difference === null) ? 0 : 1;
}

type Replayed = ReturnType<typeof replayed>;

/** What is told of a migration, without its steps. */
function replayed(migration: Parameters<typeof replay>[0]) {
  const { steps, result, difference = null } = replay(migration);
  return { steps, outcome: result?.outcome ?? null, downtimeNs: result?.downtimeNs ?? null, difference };
}

function* traceLinesOf(file: string): Generator<TraceLine> {
  let number = 0;
  for (const { text } of linesOf(file, inputLimits.traceLineBytes)) {
    number += 1;
    if (number > 1 && text === '') continue;
    yield decodeTraceLine(text, `${file}:${number}`);
  }
}
