import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import type { Plan } from '../../../src/core/migration/plan.ts';
import type { Step } from '../../../src/core/migration/steps.ts';
import { drive } from '../../../src/run/drive.ts';
import type { OutgoingMigration } from '../../../src/worlds/outgoing/outgoing-migration.ts';
import { VmDestination } from '../../../src/worlds/vm/vm-destination.ts';
import { vmWorld } from '../../../src/worlds/vm/vm-world.ts';
import { main, root, switchover } from '../../fixtures/command.ts';
import { MachineSeen, withoutQemu } from '../../fixtures/qemu.ts';
import { smallSetup } from '../../fixtures/setup.ts';

/** For so long a source asks what became of its commit. */
const SILENCE_MS = 1_000;

describe.skipIf(withoutQemu !== undefined)('a virtual machine whose migration is disturbed', () => {
  let journals: string;
  let destination: VmDestination;
  const left: MachineSeen[] = [];
  beforeEach(async () => {
    journals = mkdtempSync(join(tmpdir(), 'vm-faults-'));
    destination = await VmDestination.listen({ journals });
  });
  afterEach(async () => {
    await destination.close();
    for (const machine of left.splice(0)) await machine.quit();
    rmSync(journals, { recursive: true });
  });

  /** Migrates, and disturbs after the first step of this kind, or as soon as the destination's journal has the entry. */
  async function disturbed(
    when: { after: Step['kind'] } | { entry: string },
    disturb: (world: OutgoingMigration) => unknown,
    check: (course: MigrationResult) => Promise<void>,
    plan: Partial<Plan> = {},
  ): Promise<void> {
    const setup = smallSetup({ plan: { observeNs: 0, verify: 'full', ...plan } });
    const patient = { ...destination.address, silenceMs: SILENCE_MS };
    const world = await vmWorld(setup, { destination: patient, journals });
    let done = false;
    const once = () => {
      if (!done) disturb(world);
      done = true;
    };
    const watching =
      'entry' in when
        ? setInterval(() => {
            const file = readdirSync(journals).find((name) => name.endsWith('.destination.ndjson'));
            if (file && readFileSync(join(journals, file), 'utf8').includes(`"${when.entry}"`)) once();
          }, 1)
        : undefined;
    try {
      const course = await drive(setup.plan, world, (step) => {
        if ('after' in when && step.kind === when.after) once();
      });
      await check(course);
    } finally {
      clearInterval(watching);
      await world.close();
    }
  }

  const signalMachine = (signal: NodeJS.Signals) => () => {
    for (const pid of destination.pids) process.kill(pid, signal);
  };
  const killMachine = signalMachine('SIGKILL');

  async function runsAtSource(course: MigrationResult): Promise<void> {
    expect(course).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(await new MachineSeen(journals, 'source').works()).toBe(true);
    expect(destination.pids).toEqual([]);
  }

  test.each([
    'track',
    'send',
    'stop',
  ] as const)('whose destination’s QEMU is killed after %s runs on at the source', (after) =>
    disturbed({ after }, killMachine, runsAtSource));

  test('whose destination’s QEMU is killed when it was ready runs on at the source, or has gone for good', () =>
    disturbed({ entry: 'ready' }, killMachine, async (course) => {
      expect(course.outcome).toBe('failed');
      // The kill and the commit race: whoever wins, it does not run at both ends.
      const source = new MachineSeen(journals, 'source');
      if (course.owner === 'source') expect(await source.works()).toBe(true);
      else expect(await source.works()).toBe(false);
    }));

  test('whose destination’s QEMU is killed before it is retired has ended there, and leaves nothing behind', () =>
    disturbed({ entry: 'running' }, killMachine, async (course) => {
      expect(course).toMatchObject({ outcome: 'failed', owner: 'destination' });
      expect(await hasEmptied(destination)).toBe(true);
    }));

  test('whose destination’s QEMU freezes at the stop is paused no longer than it may be, and nothing is left there', async () => {
    const plan = { stopTimeoutNs: 700e6 };
    await disturbed(
      { after: 'stop' },
      signalMachine('SIGSTOP'),
      async (course) => {
        expect(course).toMatchObject({
          outcome: 'aborted',
          owner: 'source',
          reason: 'the guest was paused for 700 ms, as long as migration.stopTimeout allows',
        });
        // Far less than the 10 s for which an answer of QEMU is waited for.
        expect(course.downtimeNs).toBeLessThan(3e9);
        expect(await new MachineSeen(journals, 'source').works()).toBe(true);
        expect(await hasEmptied(destination)).toBe(true);
      },
      plan,
    );
  });

  test('that is cancelled when its round was sent was not paused at all', () =>
    disturbed(
      { after: 'send' },
      (world) => world.cancel('no longer wanted'),
      async (course) => {
        expect(course).toMatchObject({ outcome: 'cancelled', owner: 'source', reason: 'no longer wanted' });
        expect(course.downtimeNs).toBe(0);
        expect(await new MachineSeen(journals, 'source').works()).toBe(true);
      },
    ));

  test('whose wire is cut at the stop runs on at the source', () =>
    disturbed({ after: 'stop' }, () => destination.hangUp(), runsAtSource));

  test('whose controller is killed runs once, and recover has the owner’s machine run and the other end', async () => {
    const scenario = join(journals, 'slow.yaml');
    writeFileSync(
      scenario,
      `guest: { pages: 800, program: { kind: sequential, pages: 400, writesPerSecond: 2000 } }
link: { rate: 50Mbit/s, stopRate: 2Mbit/s }
migration: { observe: 0s, order: address }
`,
    );
    const folder = join(journals, 'killed');
    const args = ['run', scenario, '--world', 'vm', '--journal', folder, '--quiet'];
    const controller = spawn(process.execPath, [main, ...args], { cwd: root, stdio: 'ignore' });
    await untilStopped(folder);
    controller.kill('SIGKILL');
    await once(controller, 'exit');
    const [source, there] = [new MachineSeen(folder, 'source'), new MachineSeen(folder, 'destination')];
    left.push(source, there);
    // The destination's process sees that its parent has gone.
    await sleep(500);
    expect(await source.isRunning()).toBe(false);
    const first = JSON.parse((await switchover('recover', folder, '--json', '-')).stdout);
    expect(first.settlements).toMatchObject([{ owner: 'source', state: 'decided' }]);
    expect(first.machines).toContainEqual(expect.objectContaining({ end: 'source', did: 'runs again' }));
    expect(await source.works()).toBe(true);
    expect(there.isThere).toBe(false);
    const second = await switchover('recover', folder, '--json', '-');
    expect(JSON.parse(second.stdout)).toMatchObject({ settlements: [], machines: [{ did: 'runs already' }] });
  });
});

/** Within a few seconds, because its machine is killed and not asked. */
async function hasEmptied(destination: VmDestination): Promise<boolean> {
  for (let tries = 0; tries < 300 && destination.pids.length > 0; tries++) await sleep(10);
  return destination.pids.length === 0;
}

async function untilStopped(folder: string): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    await sleep(10);
    try {
      const file = readdirSync(folder).find((name) => name.endsWith('.source.ndjson'));
      if (file && readFileSync(join(folder, file), 'utf8').includes('"stopped"')) return;
    } catch {
      // Nothing there yet.
    }
  }
  throw new Error('the guest was never stopped');
}
