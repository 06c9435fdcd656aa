import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { switchover } from '../fixtures/command.ts';
import { switchoverOnFailingDisk } from '../fixtures/failing-disk.ts';

vi.setConfig({ testTimeout: 1_200_000 });

const scenario = `
guest:
  pages: 400
  program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] }
  reservation: { budget: 4ms, period: 10ms }
sender: { cpuPerPage: 10us }
cpu: { scheduler: cbs-hard }
background: [ { kind: cpu-hog, count: 1 } ]
link: { rate: 100Mbit/s }
migration: { stop: { rule: rounds, rounds: 2 } }
compare: { migration.order: [address, lru] }
`;

let folder: string;
let file: string;
/** What there is to report on. */
let recorded: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  file = join(folder, 'scenario.yaml');
  recorded = join(folder, 'recorded');
  writeFileSync(file, scenario);
  await switchover('sweep', file, '--quiet', '--runs', '6', '--out', recorded);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Files = ReadonlyMap<string, string>;

/** The text of every file, by its name below a folder. */
function filesOf(place: string): Files {
  const names = readdirSync(place, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(place, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(place, name), 'latin1')]));
}

/** Every early write, and some of the later ones. */
function isTried(write: number): boolean {
  return write <= 3 || write % 40 === 0;
}

const commands: readonly (readonly [what: string, args: (out: string) => string[]])[] = [
  [
    'run',
    (out) => [
      ...['run', file, '--quiet', '--json', join(out, 'r.ndjson'), '--trace', join(out, 't.ndjson')],
      ...['--gantt', join(out, 'chart.svg')],
    ],
  ],
  [
    'sweep',
    (out) => ['sweep', file, '--quiet', '--runs', '2', '--out', out, '--parquet', join(out, 'r.parquet')],
  ],
  [
    'stress',
    (out) => [
      ...['stress', '19-stress', '--quiet', '--runs', '2', '--only', 'cpu.scheduler=cbs-hard', '--out', out],
      ...['--set', 'stress.ramp={ background.0.count: [0, 2] }'],
    ],
  ],
  ['report', (out) => ['report', out]],
];

describe.each(commands)(
  '%s, with the disk full or broken at each of its writes in turn',
  { retry: 1 },
  (what, args) => {
    test.each([
      ['full from then on', { code: 'ENOSPC', once: false }],
      ['broken for one write', { code: 'EIO', once: true }],
    ] as const)('%s: says so, and leaves nothing that is half done', async (_, fault) => {
      const out = join(folder, what);
      const anew = () => {
        rmSync(out, { recursive: true, force: true });
        if (what === 'report') cpSync(recorded, out, { recursive: true });
        else mkdirSync(out);
      };
      anew();
      expect(await switchover(...args(out))).toMatchObject({ code: 0 });
      const whole = filesOf(out);
      let failed = 0;
      for (let from = 1; ; from++) {
        if (!isTried(from)) continue;
        anew();
        const ended = await switchoverOnFailingDisk(
          { folder: out, from, ...fault },
          join(folder, 'count'),
          ...args(out),
        );
        if (from > ended.writes) break;
        failed += 1;
        const told = `write ${from}: ${ended.stderr}`;
        expect(ended.code, told).toBe(1);
        expect(ended.stderr, told).toMatch(
          new RegExp(`^switchover: .*cannot (write|make folder) ${out}.*: ${fault.code}`, 'm'),
        );
        expect(ended.stderr, told).not.toMatch(/internal error|^ +at /m);
        for (const [name, text] of filesOf(out)) {
          const own = `${told}${name}`;
          if (name.endsWith('.ndjson')) expect(isBeginning(text, whole.get(name)!), own).toBe(true);
          else expect(whole.has(name), own).toBe(true);
        }
      }
      expect(failed).toBeGreaterThan(2);
    });
  },
);

/** Whether these are whole lines with which the others begin, as far as they do not tell a time. */
function isBeginning(text: string, whole: string): boolean {
  const lines = text.split('\n');
  return lines.at(-1) === '' && lines.length <= whole.split('\n').length;
}
