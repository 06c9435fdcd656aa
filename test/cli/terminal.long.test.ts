import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { shellWord } from '../../src/platform/shell-word.ts';
import { foldedCommand } from '../../src/study/tables/folded.ts';
import { Terminal } from '../fixtures/terminal.ts';
import { until } from '../fixtures/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-terminal-'));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

/** Twelve cells, told apart by settings with long names and long values. */
const wide = `
describe: A guest with a description that is so long that nobody could show it on one line of a terminal of 80 columns
guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 100Mbit/s }
cpu: { scheduler: cbs-hard, processors: 1 }
background: [ { kind: cpu-hog, count: 1 } ]
sender: { cpuPerPage: 10us }
compare:
  migration.order: [address, lru, random]
  sender.reservation: [ { budget: 4ms, period: 10ms }, { budget: 8ms, period: 20ms } ]
  link.stopRate: [100Mbit/s, 200Mbit/s]
runs: 12
stress: { ramp: { background.0.count: [0, 1, 2] }, thresholds: [ downtime p95 < 300ms, total median < 10s, failures < 5% ] }
`;
writeFileSync(at('wide.yaml'), wide);
const server = (name: string, period: number) => ({ name, budget: 1, period, jobs: 'backlogged' });
writeFileSync(
  at('workload.json'),
  JSON.stringify({
    horizon: 1_000_000,
    servers: [server('a server with a rather long name', 10_000), server('another', 2_500)],
  }),
);
writeFileSync(
  at('pages.json'),
  JSON.stringify({ probabilities: Array.from({ length: 400 }, (_, page) => page / 400) }),
);

/** One policy, and room on the link. */
const slides = ['--set', 'compare=null', '--set', 'link.capacity=100Mbit/s'];
const log = join(import.meta.dirname, '../fixtures/import/domjobinfo.txt');

/** Widest first, of lines that are not words without a space, such as a path. */
const tooWide = (terminal: Terminal) =>
  terminal.everything.filter((line) => line.length > 80 && line.trim().includes(' '));

describe('on a terminal of 80 columns nothing is wider', () => {
  test.each([
    [
      'run',
      [at('wide.yaml'), '--require', 'p95(downtime)<150ms', '--until', 'downtime±30%', '--most-runs', '12'],
    ],
    ['sweep', [at('wide.yaml'), '--out', at('sweep')]],
    ['stress', [at('wide.yaml'), '--out', at('stress')]],
    ['predict', [at('wide.yaml'), '--limit', '100ms']],
    ['plan', ['12-slides', ...slides, '--target', 'downtime<=200ms@0.9']],
    ['import', [log]],
    ['predict', ['--from', log]],
    ['order', [at('pages.json')]],
    ['schedule', [at('workload.json')]],
    ['reference', ['guest.program']],
    ['doctor', []],
  ] as const)('%s %s', async (command, args) => {
    const terminal = new Terminal(80, command, ...args);
    const code = await terminal.exit;
    expect([0, 3], terminal.text).toContain(code);
    expect(tooWide(terminal)).toEqual([]);
    expect(terminal.lines.join('\n').length).toBeGreaterThan(100);
  });

  test('report, of what sweep and stress left', async () => {
    for (const name of ['sweep', 'stress']) {
      const terminal = new Terminal(80, 'report', at(name));
      expect(await terminal.exit, terminal.text).toBe(0);
      expect(tooWide(terminal)).toEqual([]);
    }
  });

  test.each([
    ['a file that is not there', ['run', 'no-such-scenario.yaml']],
    ['a value that is wrong', ['run', '01-first-migration', '--set', 'link.rate=quick']],
    ['an option that there is not', ['run', '01-first-migration', '--no-such-option']],
    ['a socket on which nobody listens', ['predict', '--qmp', at('no-such-socket')]],
  ] as const)('nor is a complaint of %s', async (_, args) => {
    const terminal = new Terminal(80, ...args);
    expect([1, 2], terminal.text).toContain(await terminal.exit);
    expect(tooWide(terminal)).toEqual([]);
  });

  test('nor is what record says while it goes on', async () => {
    const terminal = new Terminal(
      80,
      'record',
      '--pid',
      String(process.pid),
      '--for',
      '1s',
      '--out',
      at('recorded'),
    );
    await terminal.exit;
    expect(tooWide(terminal)).toEqual([]);
    expect(terminal.text).toContain('page writes/s');
  });

  test('nor is the help of any command', async () => {
    for (const name of Object.keys(commands)) {
      const terminal = new Terminal(80, name, '--help');
      expect(await terminal.exit, terminal.text).toBe(0);
      expect(tooWide(terminal), name).toEqual([]);
    }
  });

  test('and with --wide everything is shown', async () => {
    const terminal = new Terminal(80, 'sweep', at('wide.yaml'), '--out', at('sweep'), '--wide');
    await terminal.exit;
    expect(terminal.text).not.toContain('Left out for the width of the terminal');
    expect(tooWide(terminal).length).toBeGreaterThan(10);
  });
});

describe('Ctrl-C on a terminal', () => {
  const many = ['--runs', '100000', '--set', 'compare=null'];

  test.each([
    ['run', ['--json', at('cut.ndjson')], at('cut.ndjson')],
    ['sweep', ['--out', at('cut')], at('cut/records-1-of-1.ndjson')],
    ['stress', ['--out', at('cut-stress')], at('cut-stress/records.ndjson')],
  ] as const)('ends %s with a clean line, and what was measured so far is saved', async (command, args, records) => {
    const terminal = new Terminal(80, command, at('wide.yaml'), ...many, ...args);
    await until(
      'it shows progress',
      () => terminal.text,
      (text) => /of \d+ runs/.test(text),
    );
    terminal.ctrlC();
    expect(await terminal.exit).toBe(130);
    expect(terminal.lines.filter((line) => /of \d+ runs/.test(line))).toEqual([]);
    expect(terminal.lines.join('\n')).toContain('cancelling; press Ctrl-C again to end at once');
    const lines = readFileSync(records, 'utf8').trimEnd().split('\n');
    for (const line of lines) expect(JSON.parse(line).schema).toBe('switchover.record/1');
    // The shell's prompt comes at the beginning of a line.
    expect(terminal.lines.at(-1)).toBe('');
    const told = command === 'stress' ? 'no level was judged' : 'downtime ms';
    expect(terminal.text).toContain(told);
  });
});

describe('a command', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '-', ' ', "'", '{', '$', '\\'),
    minLength: 1,
    maxLength: 20,
  });

  test('that is broken is the same to a shell', () => {
    const all = fc.sample(fc.array(text, { minLength: 1, maxLength: 12 }), { numRuns: 40, seed: 1 });
    const script = all
      .map((args) => foldedCommand(`  printf '[%s]' ${args.map(shellWord).join(' ')}`, 30))
      .join('\necho\n');
    expect(script).toContain(' \\\n');
    const said = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
    expect(said).toBe(all.map((args) => args.map((one) => `[${one}]`).join('')).join('\n'));
  });
});
