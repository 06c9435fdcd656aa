import type { Command } from 'commander';
import { nearestWord } from '../platform/meant.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { type Entry, scenarioEntries } from '../scenario/schema-entries.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { widthOf } from './output-options.ts';
import { print } from './standard-streams.ts';

/** Where no terminal is narrower. */
const WIDTH = 80;

/** `switchover reference [KEY]`: what a key of a scenario means, and those within it. */
export function referenceCommand(command: Command, exit: Exit): void {
  command
    .argument('[key]', 'a key of a scenario, such as guest.program; without it: those at the top')
    .action((key: string | undefined) => {
      const entries = scenarioEntries();
      const asked = key === undefined ? '' : pathOf(key, entries);
      print(sectionOf(asked, entries).map(told).join('\n\n'));
      exit(0);
    });
}

/** @throws UsageError no key lies there */
function pathOf(key: string, entries: readonly Entry[]): string {
  const paths = [...new Set(entries.map(({ path }) => path))];
  const path = paths.find((one) => plain(one) === plain(key));
  if (path !== undefined) return path;
  const named = paths.filter((one) => lastOf(one) === lastOf(key));
  const nearest = nearestWord(lastOf(key), paths.map(lastOf));
  const meant = named.length > 0 ? named : paths.filter((one) => lastOf(one) === nearest);
  throw new UsageError([
    {
      path: 'key',
      expected: 'a key of a scenario, such as guest.program',
      found: shown(key),
      meant: meant.length === 0 ? undefined : meant.slice(0, 3).map(plain).join(' or '),
    },
  ]);
}

/** Without the marks of lists, which nobody writes. */
function plain(path: string): string {
  return path.replaceAll('[]', '');
}

function lastOf(path: string): string {
  return plain(path).split('.').at(-1)!;
}

/** The key itself and those directly within it; of one that has no others, itself. */
function sectionOf(path: string, entries: readonly Entry[]): readonly Entry[] {
  const own = entries.filter((entry) => entry.path === path);
  const within = entries.filter(
    (entry) => entry.path.slice(0, entry.path.lastIndexOf('.')).replace(/\[\]$/, '') === path,
  );
  const top = entries.filter((entry) => !entry.path.includes('.'));
  return path === '' ? top : [...own, ...within];
}

function told({ path, meaning, isNeeded, fallback, value }: Entry): string {
  const remarks = [
    ...(value === '' ? [] : [value]),
    ...(isNeeded ? ['needed'] : []),
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
  ];
  const lines = [meaning, remarks.join('; ')].filter((line) => line !== '');
  const width = Math.min(WIDTH, widthOf() ?? WIDTH);
  return [path, ...lines.map((line) => folded(`  ${line}`, width))].join('\n');
}
