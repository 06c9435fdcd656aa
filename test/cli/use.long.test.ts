import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { main, root, switchover, switchoverOn } from '../fixtures/command.ts';

// A command takes a second to start, several on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
const at = (name: string) => join(folder, name);
const library = pathToFileURL(join(root, 'dist/index.js')).href;

/** Writes a module beside the scenario. */
function module(name: string, code: string): string {
  writeFileSync(at(name), code);
  return at(name);
}

let scenario: string;
let own: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  scenario = module(
    'small.yaml',
    `guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 100Mbit/s }
migration: { heat: known }
compare: { migration.order: [address, by-number] }`,
  );
  own = module(
    'own.js',
    `import { registerOrder, registerStopRule } from '${library}';
registerOrder({
  name: 'by-number', describe: 'descending page number', heat: 'none', dependsOnOthers: false,
  order: (dirty) => dirty.toArray().reverse(),
});
registerStopRule({
  name: 'enough', describe: 'so many pages left', defaults: { pages: 10 }, counts: ['pages'], withinRounds: false,
  rule: ({ pages }) => ({ pendingPages, rounds }) =>
    pendingPages <= pages || rounds.length === 4 ? { decision: 'stop', reason: 'enough is sent' } : undefined,
});`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what a user’s own module registers is known by its name to', () => {
  test('run: in compare, in its table, in records', async () => {
    const table = await switchover('run', scenario, '--use', own, '--quiet');
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(/│ by-number +│/);
    const set = 'migration.stop={rule: enough, pages: 5}';
    const { stdout } = await switchover(
      'run',
      scenario,
      '--use',
      own,
      '--set',
      set,
      '--json',
      '-',
      '--quiet',
    );
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ plan }) => plan.order)).toEqual(['address', 'by-number']);
    expect(records[0]).toMatchObject({
      reason: 'enough is sent',
      plan: { stop: { rule: 'enough', pages: 5 } },
    });
  });

  test('predict', async () => {
    const { stdout } = await switchover('predict', scenario, '--use', own, '--json', '-');
    expect(JSON.parse(stdout).cells.map(({ converges }: { converges: boolean }) => converges)).toEqual([
      true,
      true,
    ]);
  });

  test('order', async () => {
    const probabilities = module('probabilities.json', '{ "probabilities": [0.1, 0.2, 0.3] }');
    const ordered = await switchover(
      'order',
      probabilities,
      '--rule',
      'by-number',
      '--use',
      own,
      '--json',
      '-',
    );
    expect(JSON.parse(ordered.stdout).order).toEqual([2, 1, 0]);
    const unknown = await switchover('order', probabilities, '--rule', 'by-name', '--use', own);
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.stderr).toMatch(
      /^--rule: expected a page order: address, .*exact, by-number, found "by-name"/,
    );
  });

  test('sweep, in its threads too; the commands that it prints load the module again', async () => {
    const swept = await switchover('sweep', scenario, '--use', own, '--out', at('swept'), '--runs', '3');
    expect(swept).toMatchObject({ code: 0 });
    expect(swept.stdout).toContain(`--set migration.order=by-number --use ${own} --seed S`);
    const [, command] = /^ {2}switchover (run .*by-number.*) --seed S$/m.exec(swept.stdout)!;
    const records = readFileSync(join(at('swept'), 'records-1-of-1.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    const { cell: _, ...recorded } = records
      .map((line) => JSON.parse(line))
      .find(({ plan, seed }) => plan.order === 'by-number' && seed === 2);
    const again = await switchover(...command!.split(' '), '--seed', '2', '--json', '-', '--quiet');
    const { environment: __, ...alone } = JSON.parse(again.stdout);
    expect(alone).toEqual(recorded);
    expect(JSON.parse(readFileSync(join(at('swept'), 'design.json'), 'utf8')).command).toContain(
      `--use ${own}`,
    );
  });

  test('sweep, which does not go on in a folder of another module of that name', async () => {
    const code = readFileSync(own, 'utf8');
    await switchover('sweep', scenario, '--use', own, '--out', at('changed'), '--runs', '2');
    module('own.js', code.replace('.reverse()', ''));
    const changed = await switchover('sweep', scenario, '--use', own, '--out', at('changed'), '--runs', '3');
    module('own.js', code);
    expect(changed).toMatchObject({ code: 2 });
    expect(changed.stderr).toMatch(/design\.json: digest: expected/);
  });

  test('stress, whose repeat command loads it again', async () => {
    const stressed = module(
      'stress.yaml',
      `${readFileSync(scenario, 'utf8')}\nstress: { ramp: { guest.program.classes.0.writesPerSecond: [10, 20] }, thresholds: [downtime max < 10s] }`,
    );
    const ended = await switchover(
      'stress',
      stressed,
      '--use',
      own,
      '--out',
      at('stressed'),
      '--runs',
      '2',
      '--quiet',
    );
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toContain('by-number');
    expect(JSON.parse(readFileSync(join(at('stressed'), 'design.json'), 'utf8')).command).toContain(
      `--use ${own}`,
    );
  });

  test('replay, which says what is missing without it', async () => {
    const trace = at('trace.ndjson');
    await switchover('run', scenario, '--use', own, '--quiet', '--trace', trace);
    expect(await switchover('replay', trace, '--use', own)).toMatchObject({ code: 0 });
    const without = await switchover('replay', trace);
    expect(without).toMatchObject({ code: 2 });
    expect(without.stderr).toMatch(
      /^switchover: no page order is called 'by-number': there are address, .*--use FILE\n$/,
    );
  });

  test('serve, in the threads of its experiments too', async () => {
    const config = module('daemon.yaml', `name: own\nstate: ${at('state')}`);
    const args = ['serve', '--config', config, '--listen', '127.0.0.1:0', '--use', own];
    const daemon = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const lines = createInterface(daemon.stdout);
      const [line] = await once(lines, 'line');
      const api = `http://${line.replace('listening on ', '')}/api/experiments`;
      const document = {
        guest: { pages: 400, program: { kind: 'sequential', writesPerSecond: 50 } },
        link: { rate: '100Mbit/s' },
        compare: { 'migration.order': ['address', 'by-number'] },
      };
      const post = (scenario: object) =>
        fetch(api, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ world: 'virtual', scenario }),
        });
      const { id } = (await (await post(document)).json()) as { id: string };
      const look = async () => (await (await fetch(`${api}/${id}`)).json()) as { endedAt: string | null };
      let view = await look();
      while (view.endedAt === null) {
        await sleep(100);
        view = await look();
      }
      expect(view).toMatchObject({ state: 'completed', why: null, runs: { done: 2, all: 2 } });
      const refused = await post({ ...document, compare: { 'migration.order': ['by-name'] } });
      expect(refused.status).toBe(400);
      expect(await refused.text()).toMatch(/an order: address, .*, by-number/);
    } finally {
      daemon.kill('SIGKILL');
    }
  });
});

describe('--use refuses', () => {
  const use = (file: string) => switchover('run', scenario, '--quiet', '--use', file);

  test('what is not there', async () => {
    expect(await use(at('absent.js'))).toEqual({
      code: 2,
      stdout: '',
      stderr: `--use ${at('absent.js')}: expected a JavaScript module, found no such file\n`,
    });
  });

  test('what registers nothing, and says with which switchover', async () => {
    const { code, stderr } = await use(module('nothing.js', 'export const order = 1;'));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /expected a module that calls registerOrder or registerStopRule, found .* the switchover in \//,
    );
  });

  test('what cannot be loaded, and says why and where', async () => {
    const syntax = await use(module('syntax.js', 'export const = 1;'));
    expect(syntax).toMatchObject({ code: 2, stdout: '' });
    expect(syntax.stderr).toMatch(/syntax\.js: expected a module that can be loaded, found Unexpected token/);
    const thrown = await use(module('throws.js', '\nundefined.order;'));
    expect(thrown.stderr).toMatch(
      /throws\.js: expected a module that can be loaded, found Cannot read.* \(line 2\)\n$/,
    );
  });

  test('definitions that are wrong, with all that is wrong with them', async () => {
    const code = `import { registerOrder } from '${library}'; registerOrder({ name: 'lru', describe: 'mine' });`;
    const { code: exit, stderr } = await use(module('wrong.js', code));
    expect(exit).toBe(2);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.split(': ').slice(0, 3).at(-1)),
    ).toEqual(['name', 'order', 'heat', 'dependsOnOthers']);
  });

  test('two modules that register one name', async () => {
    const twin = module('twin.js', readFileSync(own, 'utf8'));
    const { code, stderr } = await switchover('run', scenario, '--quiet', '--use', own, '--use', twin);
    expect(code).toBe(2);
    expect(stderr).toMatch(/twin\.js: page order 'by-number': name: expected one that is not taken/);
  });

  test('no module that it is told of twice', async () => {
    expect(await switchover('run', scenario, '--quiet', '--use', own, '--use', own)).toMatchObject({
      code: 0,
    });
  });
});

test('an order that is wrong in the model’s hands is one line, not an error of ours', async () => {
  const code = `import { registerOrder } from '${library}';
registerOrder({ name: 'by-number', describe: 'none', heat: 'none', dependsOnOthers: false, order: () => new Uint32Array(0) });`;
  const { code: exit, stderr } = await switchover('predict', scenario, '--use', module('empty.js', code));
  expect(exit).toBe(1);
  expect(stderr).toBe(
    "switchover: page order 'by-number' must return a Uint32Array with each of the 400 dirty pages once: page 0 is missing\n",
  );
});

test.each([
  ['sweep', '--out'],
  ['plan', '--json'],
] as const)('%s: an order that takes all the memory of its thread is one line, and nothing else', async (verb, out) => {
  const code = `import { isMainThread } from 'node:worker_threads';
import { registerOrder } from '${library}';
const all = [];
const order = (dirty) => {
  while (!isMainThread) all.push(new Array(100_000).fill(all.length));
  return dirty.toArray();
};
registerOrder({ name: 'by-number', describe: 'hungry', heat: 'none', dependsOnOthers: false, order });`;
  const own = [scenario, '--use', module('hungry.js', code), '--set', 'migration.order=by-number'];
  const compared = verb === 'plan' ? ['--set', 'compare=null', '--target', 'downtime<=1s@0.9'] : [];
  const heap = ['--max-old-space-size=100'];
  const ended = await switchoverOn(heap, verb, ...own, ...compared, out, at(`hungry-${verb}`), '--quiet');
  expect(ended).toMatchObject({ code: 1 });
  expect(ended.stderr).toMatch(/^switchover: .*needs more memory than a thread has .*\n$/);
});
