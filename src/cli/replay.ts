import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { formatDuration } from '../core/units.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { decodeTraceLine, migrationsOf, replay } from '../run/trace.ts';

/** `switchover replay FILE`: gives today's migration the answers of a recorded one, and says whether it agrees. */
export function replayCommand(exit: (code: number) => void): Command {
  return new Command('replay')
    .description('replay a trace written by run --trace and check that steps and outcome are the same')
    .argument('<file>', 'trace (NDJSON)')
    .action((file: string) => exit(action(file)));
}

function action(file: string): number {
  const lines = read(file)
    .trimEnd()
    .split('\n')
    .map((line, index) => decodeTraceLine(line, `${file}:${index + 1}`));
  let differences = 0;
  for (const [index, migration] of migrationsOf(lines).entries()) {
    const { steps, course, difference } = replay(migration);
    if (difference !== undefined) differences += 1;
    const found = course ? `${course.outcome}, downtime ${formatDuration(course.downtimeNs)}` : 'no course';
    console.log(`migration ${index + 1}: ${steps} steps, ${found}: ${difference ?? 'the same'}`);
  }
  return differences === 0 ? 0 : 1;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure(`cannot read ${file}: ${reasonOf(cause)}`);
  }
}
