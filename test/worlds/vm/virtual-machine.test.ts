import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { GuestSpec } from '../../../src/workload/programs.ts';
import { machineFolder } from '../../../src/worlds/vm/qemu.ts';
import { ScriptMachine, type ScriptMachineOptions } from '../../../src/worlds/vm/script-machine.ts';
import { withoutQemu } from '../../fixtures/qemu.ts';
import { smallSetup } from '../../fixtures/setup.ts';

describe.skipIf(withoutQemu !== undefined)('a virtual machine', () => {
  const machines: ScriptMachine[] = [];
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.end();
  });

  async function machine(guest: GuestSpec, role: ScriptMachineOptions['role']): Promise<ScriptMachine> {
    const folder = machineFolder(randomUUID(), role === 'new guest' ? 'source' : 'destination');
    const made = await ScriptMachine.create(guest, { folder, heartbeats: null, outlives: false, role });
    machines.push(made);
    return made;
  }

  test('goes on elsewhere where it stopped, and ends with the same memory as the one that stayed', async () => {
    const { guest } = smallSetup();
    const source = await machine(guest, 'new guest');
    const destination = await machine(guest, 'receives');
    await source.run();
    await source.makesSteps(5_000);
    await sleep(200);
    await source.pause();
    for (const [index, segment] of source.pages.segments.entries())
      segment.copy(destination.pages.segments[index]!);
    expect(await destination.hash()).toBe(await source.hash());
    const before = source.steps;
    await destination.load(await source.saveState());
    expect(destination.steps).toBe(before);
    await destination.run();
    await destination.makesSteps(5_000);
    await destination.halt();
    expect(destination.steps).toBeGreaterThan(before);
    expect(await destination.hash()).not.toBe(await source.hash());
    await source.advance(destination.steps, 10_000);
    expect(source.steps).toBe(destination.steps);
    expect(await source.hash()).toBe(await destination.hash());
  });

  test('refuses a state that is cut short, and one that is none', async () => {
    const { guest } = smallSetup();
    const source = await machine(guest, 'new guest');
    const state = await source.saveState();
    const one = await machine(guest, 'receives');
    await expect(one.load(state.subarray(0, state.length / 2))).rejects.toThrow();
    const other = await machine({ ...guest, pages: 900 }, 'receives');
    await expect(other.load(state)).rejects.toThrow(/QEMU/);
  });

  test('leaves neither process nor file behind, also when it does not start', async () => {
    const { guest } = smallSetup();
    const folder = machineFolder(randomUUID(), 'source');
    const options = {
      folder,
      heartbeats: { host: '127.0.0.1', port: 1, token: 0 },
      outlives: false,
    } as const;
    // Nobody listens where its console shall go.
    await expect(ScriptMachine.create(guest, { ...options, role: 'new guest' })).rejects.toThrow(
      /QEMU has ended/,
    );
    expect(existsSync(folder)).toBe(false);
    const ended = await machine(guest, 'new guest');
    machines.pop();
    const { pid } = ended.qemu;
    await ended.end();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});
