import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { definedCommands } from '../../src/cli/defined-commands.ts';
import { switchover } from '../fixtures/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-options-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Defined = Awaited<ReturnType<typeof definedCommands>>;
let all: Defined;
beforeAll(async () => {
  all = await definedCommands(commands);
});

const having = (long: string) => all.filter(({ options }) => options.some((one) => one.long === long));

describe('an option means the same in every command', () => {
  test('--json writes to a file, or with - to standard output, wherever there is an answer', () => {
    const answering = having('--json');
    expect(answering.map((command) => command.name()).sort()).toEqual(
      [
        ...['doctor', 'import', 'migrate', 'order', 'plan', 'predict', 'record', 'recover'],
        ...['replay', 'report', 'run', 'schedule', 'stress', 'sweep', 'watch'],
      ].sort(),
    );
    for (const { options } of answering) {
      const json = options.find(({ long }) => long === '--json')!;
      expect(json.flags).toBe('--json <file>');
      expect(json.description).toMatch(/^write .* to a file, or with - to standard output instead of text$/);
    }
  });

  test.each(['--quiet', '--wide', '--out'])('%s is written alike everywhere', (long) => {
    const flags = having(long).map(({ options }) => options.find((one) => one.long === long)!);
    expect(flags.length).toBeGreaterThan(2);
    if (long === '--out') return;
    expect(new Set(flags.map(({ flags: written, description }) => `${written}: ${description}`)).size).toBe(
      1,
    );
  });

  test('whoever takes --json can be asked for whole lines, too, on a narrow terminal', () => {
    const wide = having('--wide').map((command) => command.name());
    expect(wide).toEqual(having('--json').map((command) => command.name()));
  });
});

test('a file has what standard output has, and text is told beside it', async () => {
  const workload = join(folder, 'workload.json');
  const task = { name: 'tau', wcet: 1, period: 4 };
  writeFileSync(workload, JSON.stringify({ horizon: 8, tasks: [task] }));
  const pages = join(folder, 'pages.json');
  writeFileSync(pages, JSON.stringify({ probabilities: [0.1, 0.9, 0.5] }));
  const trace = join(folder, 'trace.ndjson');
  await switchover('run', '01-first-migration', '--quiet', '--trace', trace, '--json', '-');
  const asked = [
    ['schedule', workload],
    ['order', pages],
    ['replay', trace],
    ['predict', '01-first-migration'],
  ] as const;
  await Promise.all(
    asked.map(async ([command, input]) => {
      const file = join(folder, `${command}.json`);
      const [there, here] = await Promise.all([
        switchover(command, input, '--json', file),
        switchover(command, input, '--json', '-'),
      ]);
      expect([there.code, here.code], command).toEqual([0, 0]);
      expect(readFileSync(file, 'utf8'), command).toBe(here.stdout);
      expect(Object.keys(JSON.parse(here.stdout)).length, command).toBeGreaterThan(0);
      expect(there.stdout, command).not.toBe('');
      expect(there.stdout, command).not.toMatch(/^\{/);
    }),
  );
});
