import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { restoreLeft } from '../../../src/qemu/borrowed-settings.ts';
import { undecidedArrivals } from '../../../src/worlds/qemu/arrivals.ts';
import { MachineReceiver } from '../../../src/worlds/qemu/machine-receiver.ts';
import { settleMachines } from '../../../src/worlds/qemu/settle-machines.ts';
import { withoutQemu10 } from '../../fixtures/others-machine.ts';
import { RelayedMachine } from '../../fixtures/relayed-machine.ts';

/** Each row once; the variable asks for more. */
const repeats = Number(process.env.MACHINE_FAULTS ?? 1) - 1;

const credentials = { key: randomBytes(32) };
let moved: RelayedMachine;
let receiver: MachineReceiver;
let said: string[];
beforeEach(async (context) => {
  if (withoutQemu10 !== undefined) context.skip(withoutQemu10);
  moved = await RelayedMachine.start();
  await listen(0);
});
afterEach(async () => {
  receiver?.close();
  await moved?.end();
});

/** Notes of arrivals lie in the folder of the journals, as one that nobody else uses. */
async function listen(port: number): Promise<void> {
  said = [];
  receiver = await MachineReceiver.listen({
    ...{ host: '127.0.0.1', port, ...credentials, journals: moved.journals },
    waiting: async () => moved.destination.ours,
    log: (line) => said.push(line),
  });
}

/** The source's process is killed as its journal has that entry, and the receiver has found out. */
async function killedAt(entry: 'handing over' | 'handed over'): Promise<void> {
  await moved.diesAt(entry, 'at once', { ...receiver.address, ...credentials });
  while (!said.join('').includes('complete and paused')) await sleep(20);
}

/** What recover does at the source. */
async function recovered() {
  const moves = await settleMachines(moved.journals, [], () => credentials);
  expect(await restoreLeft(moved.journals)).toMatchObject([{ did: 'restored' }]);
  return moves;
}

test('killed after the source is done: recover has the receiver run it', { repeats }, async () => {
  await killedAt('handed over');
  expect(await moved.runs()).toEqual([false, false]);
  expect(await undecidedArrivals(moved.journals)).toEqual([moved.destination.ours]);
  expect(await recovered()).toMatchObject([{ did: 'runs at its destination' }]);
  expect(await moved.runs()).toEqual([false, true]);
  expect(await undecidedArrivals(moved.journals)).toEqual([]);
  expect(await moved.settingsNow()).toEqual(moved.settings);
});

test('killed before the source gives it away: it runs on there, and the receiver ends what is complete', {
  repeats,
}, async () => {
  await killedAt('handing over');
  expect(await recovered()).toMatchObject([{ did: 'stayed at its source' }]);
  expect(await moved.runs()).toEqual([true, false]);
  while (moved.destination.child.exitCode === null) await sleep(20);
  expect(await moved.settingsNow()).toEqual(moved.settings);
});

test('its user had paused it: it stays paused there', { repeats }, async () => {
  await moved.source.theirs.execute('stop');
  await killedAt('handed over');
  expect(await recovered()).toMatchObject([{ did: 'stands paused at its destination' }]);
  expect(await moved.runs()).toEqual([false, false]);
});

test('a receiver that is gone is named with what to do, and another one that listens there later does it', {
  repeats,
}, async () => {
  await killedAt('handed over');
  const { port } = receiver.address;
  receiver.close();
  const [left] = await settleMachines(moved.journals, [], () => credentials);
  expect(left).toMatchObject({ did: 'left alone', destination: `127.0.0.1:${port}` });
  expect(left!.reason).toMatch(
    /its source has given it away, and its receiver could not be asked .*cont runs it/,
  );
  expect(await moved.runs()).toEqual([false, false]);
  await listen(port);
  expect(await recovered()).toMatchObject([{ did: 'runs at its destination' }]);
  expect(await moved.runs()).toEqual([false, true]);
});

test('a stranger’s key settles nothing', async () => {
  await killedAt('handed over');
  const [left] = await settleMachines(moved.journals, [], () => ({ key: randomBytes(32) }));
  expect(left).toMatchObject({ did: 'left alone' });
  expect(await moved.runs()).toEqual([false, false]);
});
