import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Project, ts } from 'ts-morph';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { root } from '../fixtures/command.ts';
import { InstalledPackage } from '../fixtures/installed-package.ts';

// It is packed and installed once, and some commands carry out whole scenarios.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

let home: string;
let installed: string;
let installation: SpawnSyncReturns<string>;
let npmPackage: InstalledPackage;

beforeAll(() => {
  npmPackage = new InstalledPackage();
  ({ home, installed, installation } = npmPackage);
});
afterAll(() => npmPackage?.end());

function switchover(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(join(home, 'node_modules/.bin/switchover'), args, { cwd: home, encoding: 'utf8' });
}

function files(below = ''): readonly string[] {
  return readdirSync(join(installed, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : files(path);
    return [path];
  });
}

describe('the package', () => {
  test('is installed without a warning of its engines', () => {
    expect(installation.stderr).not.toContain('EBADENGINE');
  });

  test('has nothing that only its makers need', () => {
    expect(files().filter((file) => /\.test\.|\.map$|tsconfig|^test|^bench|^reference/.test(file))).toEqual(
      [],
    );
    expect(files().filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
    const text = files().filter((file) => /\.(?:js|json|md|yaml|ts)$/.test(file));
    const found = text.filter((file) =>
      /sourceMappingURL=|\/work\/|\/root\//.test(readFileSync(join(installed, file), 'utf8')),
    );
    expect(found).toEqual([]);
    expect(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))).not.toHaveProperty('private');
  });

  test('has its documents, and everything that they link to', () => {
    const pages = files().filter((file) => file.endsWith('.md'));
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md', 'docs/reference/README.md']));
    const dead = pages.flatMap((page) => {
      const links = readFileSync(join(installed, page), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g);
      return [...links]
        .filter(([, link]) => !existsSync(join(installed, dirname(page), link!)))
        .map(([link]) => `${page}: ${link}`);
    });
    expect(dead).toEqual([]);
  });
});

describe('in an empty TypeScript project', () => {
  const code = `import { drive, migrate, type Plan, registerOrder, registerStopRule, type StepResult, type World } from 'switchover';
import { leastSupply, schedule } from 'switchover/sched';
import { predictMigration } from 'switchover/model';
import { loadExperiment, scenarioFile, seeded } from 'switchover/scenario';
import { type CellResult, run, worldFactory } from 'switchover/run';

const order = registerOrder({
  name: 'backwards', describe: 'descending page number', heat: 'none', dependsOnOthers: false,
  order: (dirty) => dirty.toArray().reverse(),
});
const after = registerStopRule({
  name: 'after', describe: 'so many rounds', defaults: { rounds: 3, limitNs: 1e9 }, counts: ['rounds'], withinRounds: false,
  rule: ({ rounds }) => (progress) =>
    progress.rounds.length < rounds ? undefined : { decision: 'stop', reason: 'enough' },
});
const experiment = loadExperiment(scenarioFile('01-first-migration'), [{ path: 'compare', value: null }]);
const setup = seeded(experiment.cells[0]!, 1);
const plan: Plan = { ...setup.plan, order, stop: after({ rounds: 2 }) };
const world: World = await (await worldFactory('virtual')).create({ ...setup, plan });
const answers: StepResult[] = [];
const result = await drive(plan, world, (_, answer) => answers.push(answer));
await world.close();

// The same answers by hand.
const migration = migrate(plan);
let next = migration.next();
for (const answer of answers) next = migration.next(answer);
const [cell]: readonly CellResult[] = await run(experiment, { world: 'virtual' });
console.log(result.outcome, result.reason, next.done, cell!.records[0]!.outcome);
console.log(typeof schedule, typeof predictMigration, leastSupply({ budgetNs: 3, periodNs: 10 }, 20));
`;
  const options = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', ''];
  beforeAll(() => writeFileSync(join(home, 'program.ts'), code));

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('a program typechecks with the compiler of today (module %s, resolution %s)', (module, resolution) => {
    const args = ['--noEmit', ...options, '--module', module, '--moduleResolution', resolution, 'program.ts'];
    const compiled = spawnSync(join(root, 'node_modules/.bin/tsc'), args, { cwd: home, encoding: 'utf8' });
    expect(compiled).toMatchObject({ status: 0, stdout: '' });
  });

  test('and with one that is written in JavaScript', () => {
    const strict = { strict: true, noEmit: true, types: [], target: ts.ScriptTarget.ES2022 };
    const module = ts.ModuleKind.NodeNext;
    const moduleResolution = ts.ModuleResolutionKind.NodeNext;
    const project = new Project({ compilerOptions: { ...strict, module, moduleResolution } });
    project.addSourceFileAtPath(join(home, 'program.ts'));
    const problems = project
      .getPreEmitDiagnostics()
      .map(
        (problem) => `${problem.getSourceFile()?.getFilePath()}: ${JSON.stringify(problem.getMessageText())}`,
      );
    expect(problems).toEqual([]);
  });

  test('and runs', () => {
    const args = [...options, '--module', 'nodenext', '--outDir', 'built', 'program.ts'];
    execFileSync(join(root, 'node_modules/.bin/tsc'), args, { cwd: home });
    const printed = execFileSync(process.execPath, ['built/program.js'], { cwd: home, encoding: 'utf8' });
    expect(printed).toBe('completed enough true completed\nfunction function 3\n');
  });

  test.each(['compare-orders.js', 'task-set.js', 'sweep.js'])('the example %s runs', (name) => {
    const ended = spawnSync(process.execPath, [join(installed, 'examples', name)], {
      cwd: home,
      encoding: 'utf8',
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).not.toBe('');
  });
});

describe('every command works there', () => {
  test('npx switchover run 01-first-migration', () => {
    const ended = spawnSync('npx', ['switchover', 'run', '01-first-migration', '--quiet'], {
      cwd: home,
      encoding: 'utf8',
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^01-first-migration: /);
  });

  test('every scenario that comes with it, by its name; a file of that name goes first', () => {
    const [, names] = /come with switchover: (.*)/.exec(switchover('run', 'unknown').stderr)!;
    expect(names!.split(', ').length).toBeGreaterThan(20);
    const load = `import { loadExperiment, scenarioFile } from 'switchover/scenario';
for (const name of ${JSON.stringify(names!.split(', '))}) console.log(loadExperiment(scenarioFile(name)).cells.length > 0);`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', load], {
      cwd: home,
      encoding: 'utf8',
    });
    expect(new Set(printed.trim().split('\n'))).toEqual(new Set(['true']));
    const guest = 'guest: { pages: 100, program: { kind: sequential, writesPerSecond: 1 } }';
    writeFileSync(join(home, '01-first-migration.yaml'), `describe: mine\n${guest}\nlink: { rate: 1MB/s }`);
    expect(switchover('run', '01-first-migration.yaml', '--quiet').stdout).toMatch(
      /^01-first-migration: mine$/m,
    );
    rmSync(join(home, '01-first-migration.yaml'));
  });

  test('run in threads, with records, a trace that can be replayed, and a report', () => {
    const set = ['--set', 'guest.pages=300', '--set', 'migration.observe=200ms', '--set', 'compare=null'];
    const small = ['--set', 'guest.program={kind: sequential, writesPerSecond: 100}', ...set];
    mkdirSync(join(home, 'records'));
    const out = ['--json', 'records/all.ndjson', '--trace', 'trace.ndjson'];
    const ran = switchover(
      'run',
      '01-first-migration',
      '--world',
      'threads',
      '--runs',
      '1',
      '--quiet',
      ...small,
      ...out,
    );
    expect(ran).toMatchObject({ status: 0 });
    expect(switchover('replay', 'trace.ndjson')).toMatchObject({ status: 0 });
    expect(switchover('report', 'records')).toMatchObject({ status: 0 });
    expect(readdirSync(join(home, 'records')).sort()).toEqual([
      'all.ndjson',
      'plots',
      'report.csv',
      'report.html',
      'report.md',
    ]);
  });

  test('sweep and stress', () => {
    const less = ['--set', 'sweep={grid: {migration.stop.rounds: [1, 2]}}', '--runs', '2', '--out', 'swept'];
    expect(switchover('sweep', '18-a-sweep', ...less)).toMatchObject({ status: 0 });
    expect(readdirSync(join(home, 'swept'))).toContain('records-1-of-1.ndjson');
    const stressed = switchover('stress', '19-stress', '--runs', '2', '--quiet', '--out', 'stressed');
    expect([0, 3]).toContain(stressed.status);
    expect(readdirSync(join(home, 'stressed'))).toContain('stress.json');
  });

  test('predict, order, schedule, doctor', () => {
    expect(switchover('predict', '03-page-orders', '--set', 'compare=null')).toMatchObject({ status: 0 });
    writeFileSync(join(home, 'p.json'), '{ "probabilities": [0.1, 0.9] }');
    expect(switchover('order', 'p.json', '--json', '-').stdout).toMatch(/^\{"order":\[0,1\]/);
    writeFileSync(
      join(home, 'w.json'),
      '{ "horizon": 10, "tasks": [{ "name": "a", "wcet": 1, "period": 5 }] }',
    );
    expect(switchover('schedule', 'w.json').stdout).toContain('cbs-hard on 1 processor');
    expect(switchover('doctor').stdout).toMatch(/node/i);
  });

  test('record, of a program that runs', () => {
    const program = spawn(process.execPath, ['-e', 'setInterval(() => new Array(1e4).fill(1), 5)']);
    const recorded = switchover(
      'record',
      '--pid',
      String(program.pid),
      '--for',
      '400ms',
      '--quiet',
      '--out',
      'r.ndjson.gz',
    );
    program.kill();
    expect(recorded).toMatchObject({ status: 0 });
    expect(recorded.stdout).toContain('r.ndjson.gz');
  });

  test('receive, and recover from what it wrote', async () => {
    const destination = await Started.of('receive', '--journal', 'journals');
    const to = [
      '--world',
      'threads',
      '--to',
      destination.address,
      '--set',
      'compare=null',
      '--runs',
      '1',
      '--quiet',
    ];
    const small = [
      '--set',
      'guest.pages=300',
      '--set',
      'guest.program={kind: sequential, writesPerSecond: 100}',
    ];
    const ran = switchover('run', '01-first-migration', ...to, ...small, '--set', 'migration.observe=200ms');
    await destination.end();
    expect(ran).toMatchObject({ status: 0 });
    expect(switchover('recover', 'journals')).toMatchObject({ status: 0 });
  });

  test('serve, with its page and all that the page loads', async () => {
    writeFileSync(join(home, 'daemon.yaml'), 'name: packed');
    const daemon = await Started.of('serve', '--config', 'daemon.yaml');
    try {
      const get = (path: string) => fetch(`http://${daemon.address}${path}`);
      const page = await (await get('/')).text();
      const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(
        ([, path]) => new URL(path!, 'http://x/').pathname,
      );
      expect(loaded.length).toBeGreaterThan(2);
      const scripts = ['/uplot/uPlot.esm.js', '/api/state', '/openapi.json', '/metrics', '/readyz'];
      for (const path of [...loaded, ...scripts]) expect((await get(path)).status, path).toBe(200);
      expect(await (await get('/api/state')).json()).toMatchObject({ name: 'packed' });
    } finally {
      await daemon.end();
    }
    expect(existsSync(join(home, 'state'))).toBe(true);
  });
});

/** A command that listens until it is told to end. */
class Started {
  readonly address: string;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(child: ReturnType<typeof spawn>, address: string) {
    this.#child = child;
    this.address = address;
  }

  static async of(command: string, ...args: string[]): Promise<Started> {
    const main = join(installed, 'dist/cli/main.js');
    const child = spawn(process.execPath, [main, command, '--listen', '127.0.0.1:0', ...args], { cwd: home });
    let complaint = '';
    child.stderr.on('data', (text: Buffer) => {
      complaint += text;
    });
    for await (const line of createInterface(child.stdout)) {
      const address = /^listening on (.+)$/.exec(line)?.[1];
      if (address === undefined) continue;
      child.stdout.resume();
      return new Started(child, address);
    }
    throw new Error(complaint);
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

test('the tutorial’s first hour goes as it is written, and leaves nothing running', async () => {
  const script = (await npmPackage.commandsOf('docs/tutorial.md', ['7070', '7171', '7272'])).join('\n');
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
    cwd: home,
    encoding: 'utf8',
    timeout: 280_000,
  });
  expect(status, `${stdout.slice(-2_000)}${stderr.slice(-2_000)}`).toBe(0);
  expect(stderr).toContain('did you mean stopRate?');
  expect(stdout).toContain('exit code 2');
  expect(stdout).toContain('exit code 3');
  expect(stdout).toContain('"state":"running"');
  expect(stdout).toMatch(/switchover_migration_outcomes_total\{.*completed.*\} 1/);
  expect(existsSync(join(home, 'results/report.html'))).toBe(true);
  expect(JSON.parse(readFileSync(join(home, 'summary.json'), 'utf8')).areKept).toBe(true);
});
