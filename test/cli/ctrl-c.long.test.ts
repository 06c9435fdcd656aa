import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recover } from '../../src/transport/recover.ts';
import { main, root } from '../fixtures/command.ts';
import { entriesIn } from '../fixtures/journals.ts';
import { same, until } from '../fixtures/until.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-ctrl-c-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Its rounds do not end for a long time: all is written again while it is sent. */
const endless = `
describe: A guest that does not come to rest
guest: { pages: 200, program: { kind: classes, classes: [ { pages: 200, writesPerSecond: 100 } ] } }
link: { rate: 8Mbit/s }
migration: { observe: 0ms, stop: { rule: rounds, rounds: 60 } }
`;

/** A run as a terminal sees it: a group of processes, all of which hear Ctrl-C. */
class Run {
  readonly #child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  stderr = '';
  stdout = '';

  constructor(name: string, text: string, ...args: string[]) {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, text);
    const all = [main, 'run', file, ...args];
    this.#child = spawn(process.execPath, all, { cwd: root, detached: true });
    this.exit = once(this.#child, 'exit');
    this.#child.stderr!.on('data', (chunk) => (this.stderr += chunk));
    this.#child.stdout!.on('data', (chunk) => (this.stdout += chunk));
  }

  async says(what: RegExp): Promise<void> {
    await until(
      `it says ${what}`,
      () => this.stderr,
      (stderr) => what.test(stderr),
    );
  }

  ctrlC(): void {
    process.kill(-this.#child.pid!, 'SIGINT');
  }

  get lives(): boolean {
    try {
      return process.kill(-this.#child.pid!, 0);
    } catch {
      return false;
    }
  }

  /** No process of the group is left. */
  async isGone(): Promise<void> {
    await until('all its processes have ended', () => this.lives, same(false));
  }
}

const recordsIn = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('Ctrl-C during a run in real time', () => {
  test('cancels the migration, writes its record, begins no other and leaves nothing behind', async () => {
    const [json, journals] = [join(folder, 'records.ndjson'), join(folder, 'journals')];
    const args = ['--world', 'threads', '--runs', '3', '--json', json, '--journal', journals];
    const run = new Run('endless', endless, ...args);
    await run.says(/round 1/);
    run.ctrlC();
    expect(await run.exit).toEqual([130, null]);
    await run.isGone();
    expect(run.stderr).toContain('cancelling; press Ctrl-C again to end at once');
    const records = recordsIn(json);
    expect(records).toMatchObject([{ outcome: 'cancelled', owner: 'source', reason: 'cancelled by Ctrl-C' }]);
    expect(records[0].rounds.length).toBeGreaterThan(0);
    expect(run.stdout).toContain('cancelled');
    expect((await recover([journals])).settlements).toEqual([]);
    expect(Object.values(entriesIn(journals))).toEqual([['begun', 'aborted']]);
  });

  test('cancels all that share a link, also who waits for it or has yet to begin', async () => {
    const json = join(folder, 'fleet.ndjson');
    const fleet = `${endless.replace('{ rate: 8Mbit/s }', '{ rate: 8Mbit/s, capacity: 8Mbit/s }')}
fleet: [ { name: first }, { name: waits }, { name: later, at: 1h } ]
`;
    const run = new Run('fleet', fleet, '--world', 'threads', '--json', json);
    await run.says(/round 1/);
    run.ctrlC();
    expect(await run.exit).toEqual([130, null]);
    await run.isGone();
    expect(recordsIn(json).map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  // Once in many runs Node aborts where it is told to exit while a thread is just starting.
  test('twice does not wait for a destination that says nothing', { retry: 1 }, async () => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const asked = once(silent, 'connection');
    const { port } = silent.address() as AddressInfo;
    const json = join(folder, 'silent.ndjson');
    const run = new Run('silent', endless, '--world', 'threads', '--to', `127.0.0.1:${port}`, '--json', json);
    await asked;
    run.ctrlC();
    await run.says(/cancelling/);
    expect(run.lives).toBe(true);
    run.ctrlC();
    expect(await run.exit).toEqual([130, null]);
    await run.isGone();
    silent.close();
  });

  test('in virtual time ends it between two runs, and tells what was computed until then', async () => {
    const json = join(folder, 'virtual.ndjson');
    const run = new Run('virtual', endless, '--runs', '1000000', '--json', json);
    await run.says(/run 1/);
    run.ctrlC();
    expect(await run.exit).toEqual([130, null]);
    await run.isGone();
    const records = recordsIn(json);
    expect(records.length).toBeGreaterThan(0);
    expect(records.every(({ outcome }) => outcome === 'completed')).toBe(true);
    expect(run.stdout).toContain('downtime ms');
    expect(run.stdout).toContain(` ${records.length} `);
  });
});
