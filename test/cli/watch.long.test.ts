import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Qmp } from '../../src/qemu/qmp.ts';
import type { WatchEvent } from '../../src/run/watch/watch-event.ts';
import { qemuProgram } from '../../src/worlds/vm/qemu.ts';
import { main, root, switchover } from '../fixtures/command.ts';
import { has, reading } from '../fixtures/daemons.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import { Terminal } from '../fixtures/terminal.ts';
import { until } from '../fixtures/until.ts';
import { writingBios, writtenPages } from '../fixtures/writing-bios.ts';

let folder: string;
const processes: ChildProcess[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-watch-'));
  writeFileSync(join(folder, 'bios'), writingBios());
});
afterAll(() => {
  for (const child of processes) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A QEMU that others have started: one monitor for them and one for us. */
function machine(name: string, ...more: string[]): ChildProcess {
  const monitors = ['theirs', 'ours'].flatMap((whose) => [
    '-qmp',
    `unix:${join(folder, `${name}.${whose}`)},server=on,wait=off`,
  ]);
  const of = ['-accel', 'tcg', '-m', '64', '-nodefaults', '-display', 'none', '-bios', join(folder, 'bios')];
  const child = spawn(qemuProgram, [...of, ...monitors, ...more], { stdio: 'ignore' });
  processes.push(child);
  return child;
}

const BANDWIDTH = 64 * 1024;
const ours = (name: string) => join(folder, `${name}.ours`);
const theirs = (name: string) => Qmp.connect(join(folder, `${name}.theirs`), () => undefined);

/** It passes over all pages in some 10 s, and then in 8 s over those that were written meanwhile. */
async function slowMigration(name: string): Promise<Qmp> {
  machine(`${name}-there`, '-incoming', `unix:${join(folder, `${name}.incoming`)}`);
  await theirs(`${name}-there`).then((qmp) => qmp.close());
  const qmp = await theirs(name);
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': BANDWIDTH });
  await qmp.execute('migrate', { uri: `unix:${join(folder, `${name}.incoming`)}` });
  return qmp;
}

class Watch {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  readonly #file: string;
  stdout = '';
  stderr = '';

  constructor(name: string, ...more: string[]) {
    this.#file = join(folder, `${name}.ndjson`);
    const args = [main, 'watch', '--qmp', ours(name), '--json', this.#file, ...more];
    this.child = spawn(process.execPath, args, { cwd: root });
    processes.push(this.child);
    this.exit = once(this.child, 'exit');
    this.child.stdout!.on('data', (chunk) => (this.stdout += chunk));
    this.child.stderr!.on('data', (chunk) => (this.stderr += chunk));
  }

  get events(): readonly WatchEvent[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  of<Kind extends WatchEvent['event']>(event: Kind): readonly Extract<WatchEvent, { event: Kind }>[] {
    return this.events.filter((one): one is Extract<WatchEvent, { event: Kind }> => one.event === event);
  }

  async has(event: WatchEvent['event'], count = 1): Promise<void> {
    await until(
      `${count} events '${event}'`,
      () => this.of(event).length,
      (seen) => seen >= count,
      60_000,
    );
  }
}

describe.skipIf(withoutQemu !== undefined)('watch', () => {
  test('follows a migration of somebody else’s QEMU, foresees it, exports it, and outlives that QEMU', async () => {
    const qemu = machine('first');
    await theirs('first').then((qmp) => qmp.close());
    const watch = new Watch('first', '--listen', '127.0.0.1:0');
    await watch.has('connected');
    const url = /metrics at (\S+)/.exec(watch.stderr)![1]!;
    const scrape = async () => (await fetch(url)).text();
    const qmp = await slowMigration('first');

    // From the second dirty sync on something is known of its writes.
    const last = () => watch.of('progress').at(-1);
    await until(
      'a second sync',
      () => last()?.syncs ?? 0,
      (syncs) => syncs >= 2,
      60_000,
    );
    const { foreseen, rateBytesPerSecond, leftBytes } = last()!;
    expect(foreseen!.endsByItself).toBeGreaterThanOrEqual(0);
    expect(foreseen!.downtimeNs!.p50).toBeGreaterThan(0);
    expect(rateBytesPerSecond! / BANDWIDTH).toBeCloseTo(1, 0);
    expect(leftBytes).toBeLessThanOrEqual(1.5 * writtenPages * 4096);
    const during = await scrape();
    const of = `world="qemu-native",monitor="${ours('first')}"`;
    expect(during).toContain(`switchover_watched_status{${of},status="active"} 1`);
    expect(reading(during, `switchover_watched_dirty_syncs{${of}}`)).toBe(2);
    expect(reading(during, `switchover_watched_ends_by_itself_ratio{${of}}`)).toBe(foreseen!.endsByItself);
    if (has('promtool')) {
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: during, encoding: 'utf8' });
      expect(checked.stdout + checked.stderr).toBe('');
    }

    await watch.has('ended');
    const said = await qmp.execute<Record<string, number>>('query-migrate');
    expect(watch.of('ended')).toMatchObject([
      { outcome: 'completed', totalNs: 1e6 * said['total-time']!, downtimeNs: 1e6 * said.downtime! },
    ]);
    const after = await scrape();
    expect(reading(after, `switchover_migrations_total{${of},outcome="completed"}`)).toBe(1);
    expect(reading(after, `switchover_last_migration_downtime_seconds{${of}}`)).toBe(said.downtime! / 1e3);
    expect(after).not.toContain('switchover_watched_left_bytes{');

    qmp.close();
    qemu.kill('SIGKILL');
    await watch.has('lost');
    expect(reading(await scrape(), `switchover_watched_up{${of}}`)).toBe(0);
    machine('first');
    await watch.has('connected', 2);

    watch.child.kill('SIGINT');
    expect(await watch.exit).toEqual([0, null]);
    const kinds = watch.events.map(({ event }) => event);
    expect(kinds.filter((kind) => kind !== 'progress' && kind !== 'lost')).toEqual([
      'connected',
      'began',
      'ended',
      'connected',
    ]);
    const progress = watch.stdout.split('\n').filter((line) => line.includes(' left'));
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.length).toBeLessThan(watch.of('progress').length);
    expect(progress.at(-1)).toMatch(/end.* downtime /);
    expect(watch.stdout).toMatch(/completed {2}total .* downtime /);
  });

  test('says of a migration whose QEMU ends that how it ended is not known', async () => {
    const qemu = machine('second');
    await theirs('second').then((qmp) => qmp.close());
    const watch = new Watch('second');
    await watch.has('connected');
    const qmp = await slowMigration('second');
    await watch.has('progress', 2);
    qmp.close();
    qemu.kill('SIGKILL');
    await watch.has('ended');
    expect(watch.of('ended')).toMatchObject([{ outcome: 'unknown', totalNs: null, downtimeNs: null }]);
    watch.child.kill('SIGTERM');
    expect(await watch.exit).toEqual([0, null]);
  });

  test('has a line a second on a terminal', async () => {
    machine('third');
    await theirs('third').then((qmp) => qmp.close());
    const terminal = new Terminal(80, 'watch', '--qmp', ours('third'));
    await until(
      'it is connected',
      () => terminal.text,
      (text) => text.includes('connected'),
      60_000,
    );
    const qmp = await slowMigration('third');
    const told = () => terminal.lines.filter((line) => line.includes(' left'));
    await until('lines', told, (lines) => lines.length >= 3, 60_000);
    expect(terminal.lines.every((line) => line.length <= 80)).toBe(true);
    terminal.ctrlC();
    expect(await terminal.exit).toBe(0);
    qmp.close();
  });

  test('says in one line that somebody else uses a monitor', async () => {
    machine('fourth');
    const qmp = await Qmp.connect(ours('fourth'), () => undefined);
    const { code, stdout, stderr } = await switchover('watch', '--qmp', ours('fourth'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      `switchover: ${ours('fourth')}: it does not answer: somebody else uses this monitor, or QEMU hangs; a monitor of QEMU that nobody else uses is needed`,
    ]);
    qmp.close();
  });
});
