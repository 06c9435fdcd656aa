import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reasonOf } from '../../../src/platform/failure.ts';
import { restoreLeft } from '../../../src/qemu/borrowed-settings.ts';
import type { MachineMigration } from '../../../src/run/migrate-machine.ts';
import { settleMachines } from '../../../src/worlds/qemu/settle-machines.ts';
import { root } from '../../fixtures/command.ts';
import { withoutQemu10 } from '../../fixtures/others-machine.ts';
import { killed, RelayedMachine, slowly } from '../../fixtures/relayed-machine.ts';

/** Each row once; the variable asks for more. */
const repeats = Number(process.env.MACHINE_FAULTS ?? 1) - 1;

let moved: RelayedMachine;
beforeEach(async (context) => {
  if (withoutQemu10 !== undefined) context.skip(withoutQemu10);
  moved = await RelayedMachine.start();
});
afterEach(async () => {
  await moved?.end();
});

const atSource = [true, false];
const atDestination = [false, true];

/** When something happens: the machine is being moved by then. */
const phases = {
  'in the first round': () => moved.happens('MIGRATION_PASS').then(() => sleep(300)),
  'in a later round': async () => {
    for (let round = 0; round < 2; round++) await moved.happens('MIGRATION_PASS');
    await sleep(100);
  },
  'in the stop': () => moved.happens('STOP').then(() => sleep(300)),
};
type Phase = keyof typeof phases;
const all = Object.keys(phases) as Phase[];
const roundAndStop: readonly Phase[] = ['in the first round', 'in the stop'];

/** The migration that has begun with what is written next. */
function during(phase: Phase, act: () => unknown): Pick<MachineMigration, 'stepped'> {
  let isUnderWay = false;
  return {
    stepped: ({ kind }) => {
      if (kind !== 'track' || isUnderWay) return;
      isUnderWay = true;
      const when = phase === 'in the first round' ? sleep(300) : phases[phase]();
      void when.then(act);
    },
  };
}

/** Whoever moved it is gone: what recover does. */
async function recovered() {
  const moves = await settleMachines(moved.journals);
  const settings = await restoreLeft(moved.journals);
  return { moves, settings };
}

describe('the relay is killed', { repeats }, () => {
  test.each(all)('%s: the machine runs on, and recover restores its settings', async (phase) => {
    const relay = moved.moveApart(slowly);
    await once(relay.stdout!, 'data');
    await phases[phase]();
    await killed(relay);
    expect(await recovered()).toMatchObject({
      moves: [{ did: 'stayed at its source' }],
      settings: [{ did: 'restored' }],
    });
    expect(await moved.runs()).toEqual(atSource);
    expect(await moved.settingsNow()).toEqual(moved.settings);
  });

  test('before anything of it has left', async () => {
    const relay = moved.moveApart(slowly);
    await once(relay.stdout!, 'data');
    await killed(relay);
    await recovered();
    expect(await moved.runs()).toEqual(atSource);
    expect(await moved.settingsNow()).toEqual(moved.settings);
  });

  test.each([
    [
      'before the source is told to give it away',
      'handing over',
      'at once',
      'stayed at its source',
      atSource,
    ],
    ['after the source is done', 'handed over', 'at once', 'runs at its destination', atDestination],
  ] as const)('%s: recover knows whose it is, and it runs', async (_, entry, when, did, where) => {
    await diesAt(entry, when);
    expect(await recovered()).toMatchObject({ moves: [{ did }] });
    expect(await moved.runs()).toEqual(where);
    expect(await moved.settingsNow()).toEqual(moved.settings);
    expect(await recovered()).toEqual({ moves: [], settings: [] });
  });

  test('after the source is done, and somebody has it go on there: the destination never runs', async () => {
    await diesAt('handed over', 'at once');
    expect(await moved.runs()).toEqual([false, false]);
    await moved.source.theirs.execute('cont');
    expect(await recovered()).toMatchObject({ moves: [{ did: 'stayed at its source' }] });
    expect(await moved.runs()).toEqual(atSource);
  });

  test('after the source is done, and its user had paused it: it stays paused', async () => {
    await moved.source.theirs.execute('stop');
    await diesAt('handed over', 'at once');
    expect(await recovered()).toMatchObject({ moves: [{ did: 'stands paused at its destination' }] });
    expect(await moved.runs()).toEqual([false, false]);
  });

  test('frozen in the stop for a while: the move goes on, and exactly one runs', async () => {
    const relay = moved.moveApart(slowly);
    await moved.happens('STOP');
    relay.kill('SIGSTOP');
    await sleep(1_500);
    expect(await moved.runs()).toEqual([false, false]);
    relay.kill('SIGCONT');
    const [code] = await once(relay, 'exit');
    expect(await moved.runs()).toEqual(code === 0 ? atDestination : atSource);
  });
});

/** A relay that dies when its journal has that entry: at once, or when it has done what follows without a wait. */
async function diesAt(entry: string, when: 'at once' | 'soon'): Promise<void> {
  const script = `
  import { migrateMachine } from '${root}/build/src/run/migrate-machine.js';
  import { scenarioOf } from '${root}/build/src/scenario/scenario.js';
  import { parseSetting } from '${root}/build/src/scenario/settings.js';
  import { LocalDestination } from '${root}/build/src/worlds/qemu/local-destination.js';
  import { MachineJournal } from '${root}/build/src/worlds/qemu/machine-journal.js';
  const [qmp, to, journals, settings] = process.argv.slice(1);
  const { write } = MachineJournal.prototype;
  const die = () => process.kill(process.pid, 'SIGKILL');
  MachineJournal.prototype.write = function (entry) {
    write.call(this, entry);
    if (entry.entry === '${entry}') ${when === 'at once' ? 'die()' : 'setImmediate(die)'};
  };
  const scenario = scenarioOf({}, { name: 'test', file: undefined }, JSON.parse(settings).map(parseSetting));
  const destination = () => LocalDestination.open(to);
  await migrateMachine({ qmp, journals, mode: 'pull', scenario, destination });`;
  const args = [moved.source.ours, moved.destination.ours, moved.journals, JSON.stringify(slowly)];
  const relay = spawn(process.execPath, ['--input-type=module', '-e', script, ...args], { stdio: 'inherit' });
  expect(await once(relay, 'exit')).toEqual([null, 'SIGKILL']);
}

describe('the destination', { repeats }, () => {
  test.each(roundAndStop)('is killed %s: the machine runs on, with its settings', async (phase) => {
    const record = await moved.move(
      slowly,
      during(phase, () => moved.destination.child.kill('SIGKILL')),
    );
    expect(record).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect((await moved.runs())[0]).toBe(true);
    expect(await moved.settingsNow()).toEqual(moved.settings);
  });

  test('is frozen for a while in the first round: the move goes on', async () => {
    const { child } = moved.destination;
    const record = await moved.move(
      slowly,
      during('in the first round', async () => {
        child.kill('SIGSTOP');
        await sleep(2_000);
        child.kill('SIGCONT');
      }),
    );
    expect(record).toMatchObject({ outcome: 'completed', fidelity: { neverSentPages: 0 } });
    expect(await moved.runs()).toEqual(atDestination);
  });

  test('is frozen in the stop: the watchdog has the machine run on', async () => {
    const { child } = moved.destination;
    const record = await moved.move(
      [...slowly, 'migration.stopTimeout=3s'],
      during('in the stop', () => child.kill('SIGSTOP')),
    );
    child.kill('SIGCONT');
    expect(record).toMatchObject({ outcome: 'aborted', owner: 'source' });
    expect(await moved.runs()).toEqual(atSource);
    expect(await moved.settingsNow()).toEqual(moved.settings);
  });
});

test.each(roundAndStop)('the source is killed %s: the machine is lost, and its destination never runs', {
  repeats,
}, async (phase) => {
  const record = await moved.move(
    slowly,
    during(phase, () => moved.source.child.kill('SIGKILL')),
  );
  expect(record.outcome).toBe('failed');
  expect(await moved.runs()).toEqual([false, false]);
});

describe('somebody else', { repeats }, () => {
  test.each(roundAndStop)('cancels by QEMU %s: the machine runs on, with its settings', async (phase) => {
    const record = await moved.move(
      slowly,
      during(phase, () => moved.source.theirs.execute('migrate_cancel')),
    );
    expect(record).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(await moved.runs()).toEqual(atSource);
    expect(await moved.settingsNow()).toEqual(moved.settings);
  });

  test('pauses the machine: it moves, and stays paused', async () => {
    const record = await moved.move(
      slowly,
      during('in the first round', () => moved.source.theirs.execute('stop')),
    );
    expect(record).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(await moved.runs()).toEqual([false, false]);
  });

  test('pauses the machine and has it go on: it moves, and runs', async () => {
    const record = await moved.move(
      slowly,
      during('in the first round', async () => {
        await moved.source.theirs.execute('stop');
        await sleep(200);
        await moved.source.theirs.execute('cont');
      }),
    );
    expect(record).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(await moved.runs()).toEqual(atDestination);
  });

  test('has the machine go on in the stop: QEMU refuses, and it moves', async () => {
    const said: unknown[] = [];
    const record = await moved.move(
      slowly,
      during('in the stop', () => moved.source.theirs.execute('cont').catch((why) => said.push(why))),
    );
    expect(said).toHaveLength(1);
    expect(record).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(await moved.runs()).toEqual(atDestination);
  });

  test('begins a migration meanwhile: QEMU refuses, and the machine moves', async () => {
    const said: unknown[] = [];
    const begin = () => moved.source.theirs.execute('migrate', { uri: 'exec:cat > /dev/null' });
    const record = await moved.move(
      slowly,
      during('in the first round', () => begin().catch((why) => said.push(why))),
    );
    expect(said).toHaveLength(1);
    expect(record).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(await moved.runs()).toEqual(atDestination);
  });

  test('has begun a migration before: ours is refused, and theirs goes on', async () => {
    await moved.source.theirs.execute('migrate-set-parameters', { 'max-bandwidth': 1_000 });
    await moved.source.theirs.execute('migrate', { uri: 'exec:cat > /dev/null' });
    await expect(moved.move(slowly)).rejects.toThrow('another migration is under way');
    const { status } = await moved.source.theirs.execute<{ status: string }>('query-migrate');
    expect(status).toBe('active');
  });
});

test('a stream that is not understood is refused before any page has left', { repeats }, async () => {
  await moved.end();
  moved = await RelayedMachine.start('-global', 'migration.send-section-footer=off');
  // By the first look at the stream already, or by its first section.
  const why = await moved.move(slowly).then(({ reason }) => reason, reasonOf);
  expect(why).toContain('expected the footer of a section');
  expect((await moved.runs())[0]).toBe(true);
  expect(await moved.settingsNow()).toEqual(moved.settings);
});
