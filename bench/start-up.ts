import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { quantile } from '../src/study/statistics/estimate.ts';

const root = resolve(import.meta.dirname, '../..');
const main = resolve(root, 'dist/cli/main.js');

/** What Node takes by itself comes first; the others are held against it. */
const commands = {
  'node -e 0': ['-e', '0'],
  'switchover --help': [main, '--help'],
  'switchover run --help': [main, 'run', '--help'],
  'switchover predict': [main, 'predict', '01-first-migration', '--set', 'compare={}'],
  'switchover run, one migration in virtual time': [main, 'run', '01-first-migration', '--set', 'compare={}'],
} as const;
const TIMES = 21;

/** How long commands take from their start to their end: each in turn, many times, so that all meet the same machine. */
export function startUp(): void {
  const names = Object.keys(commands) as (keyof typeof commands)[];
  const ms = new Map(names.map((name) => [name, [] as number[]]));
  for (let time = 0; time < TIMES; time++) {
    for (const name of names) {
      const sinceMs = performance.now();
      const { status, stderr } = spawnSync(process.execPath, commands[name], { cwd: root, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      ms.get(name)!.push(performance.now() - sinceMs);
    }
  }
  console.log(`start-up: from the start of a process to its end (median of ${TIMES}, in turn)`);
  const bare = quantile(ms.get('node -e 0')!, 0.5);
  for (const name of names) {
    const median = quantile(ms.get(name)!, 0.5);
    const more = `${(median - bare).toFixed(0)} ms more, ${(median / bare).toFixed(2)} times as long`;
    console.log(
      `  ${name.padEnd(46)} ${median.toFixed(0).padStart(5)} ms  ${name === 'node -e 0' ? '' : more}`,
    );
  }
}
