import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Qmp } from '../../src/qemu/qmp.ts';
import type { WatchEvent } from '../../src/run/watch/watch-event.ts';
import { main, root, switchover } from '../fixtures/command.ts';
import { has, reading } from '../fixtures/daemons.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import { Terminal } from '../fixtures/terminal.ts';
import { until } from '../fixtures/until.ts';
import { SLOW_BANDWIDTH, WatchedMachines } from '../fixtures/watched-machines.ts';
import { writtenPages } from '../fixtures/writing-bios.ts';

const machines = new WatchedMachines();
const processes: ChildProcess[] = [];
afterAll(() => {
  for (const child of processes) child.kill('SIGKILL');
  machines.end();
});
const { folder } = machines;

class Watch {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  readonly #file: string;
  stdout = '';
  stderr = '';

  constructor(name: string, ...more: string[]) {
    this.#file = join(folder, `${name}.ndjson`);
    const args = [main, 'watch', '--qmp', machines.ours(name), '--json', this.#file, ...more];
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
  test('follows a migration of somebody else’s QEMU, predicts it, exports it, and outlives that QEMU', async () => {
    const qemu = machines.start('first');
    await machines.theirs('first').then((qmp) => qmp.close());
    const watch = new Watch('first', '--listen', '127.0.0.1:0');
    await watch.has('connected');
    const url = /metrics at (\S+)/.exec(watch.stderr)![1]!;
    const scrape = async () => (await fetch(url)).text();
    const qmp = await machines.migrateSlowly('first');

    // From the second dirty sync on something is known of its writes.
    const last = () => watch.of('progress').at(-1);
    await until(
      'a second sync',
      () => last()?.syncs ?? 0,
      (syncs) => syncs >= 2,
      60_000,
    );
    const { predicted, rateBytesPerSecond, leftBytes } = last()!;
    expect(predicted!.endsByItself).toBeGreaterThanOrEqual(0);
    expect(predicted!.downtimeNs!.p50).toBeGreaterThan(0);
    expect(rateBytesPerSecond!).toBeGreaterThan(0);
    expect(rateBytesPerSecond!).toBeLessThan(1.5 * SLOW_BANDWIDTH);
    expect(leftBytes).toBeLessThanOrEqual(1.5 * writtenPages * 4096);
    const during = await scrape();
    const of = `world="qemu-native",monitor="${machines.ours('first')}"`;
    expect(during).toContain(`switchover_watched_status{${of},status="active"} 1`);
    expect(reading(during, `switchover_watched_dirty_syncs{${of}}`)).toBeGreaterThanOrEqual(2);
    // On a busy machine another second may be told of by now.
    expect(reading(during, `switchover_watched_ends_by_itself_ratio{${of}}`)).toBeGreaterThanOrEqual(0);
    if (has('promtool')) {
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: during, encoding: 'utf8' });
      expect(checked.stdout + checked.stderr).toBe('');
    }

    await machines.letGo(qmp);
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
    machines.start('first');
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
    const qemu = machines.start('second');
    await machines.theirs('second').then((qmp) => qmp.close());
    const watch = new Watch('second');
    await watch.has('connected');
    const qmp = await machines.migrateSlowly('second');
    await watch.has('progress', 2);
    qmp.close();
    qemu.kill('SIGKILL');
    await watch.has('ended');
    expect(watch.of('ended')).toMatchObject([{ outcome: 'unknown', totalNs: null, downtimeNs: null }]);
    watch.child.kill('SIGTERM');
    expect(await watch.exit).toEqual([0, null]);
  });

  test('has a line a second on a terminal', async () => {
    machines.start('third');
    await machines.theirs('third').then((qmp) => qmp.close());
    const terminal = new Terminal(80, 'watch', '--qmp', machines.ours('third'));
    await until(
      'it is connected',
      () => terminal.text,
      (text) => text.includes('connected'),
      60_000,
    );
    const qmp = await machines.migrateSlowly('third');
    const told = () => terminal.lines.filter((line) => line.includes(' left'));
    await until('lines', told, (lines) => lines.length >= 3, 60_000);
    expect(terminal.lines.every((line) => line.length <= 80)).toBe(true);
    terminal.ctrlC();
    expect(await terminal.exit).toBe(0);
    qmp.close();
  });

  test('says in one line that somebody else uses a monitor', async () => {
    machines.start('fourth');
    const qmp = await Qmp.connect(machines.ours('fourth'), () => undefined);
    const { code, stdout, stderr } = await switchover('watch', '--qmp', machines.ours('fourth'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      `switchover: ${machines.ours('fourth')}: it does not answer: somebody else uses this monitor, or QEMU hangs; a monitor of QEMU that nobody else uses is needed`,
    ]);
    qmp.close();
  });
});
