import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../../../src/platform/failure.ts';
import { drive } from '../../../src/run/drive.ts';
import { VmDestination } from '../../../src/worlds/vm/vm-destination.ts';
import { vmWorld } from '../../../src/worlds/vm/vm-world.ts';
import { withoutQemu } from '../../fixtures/qemu.ts';
import { smallSetup } from '../../fixtures/setup.ts';
import { stopDefaults } from '../../fixtures/stop-defaults.ts';

describe.skipIf(withoutQemu !== undefined)('the world of virtual machines', () => {
  let destination: VmDestination;
  beforeAll(async () => {
    destination = await VmDestination.listen({});
  });
  afterAll(() => destination.close());

  test.each([
    ['xen', /pages were dirty|rounds/],
    ['phaul', /the round sent|rounds/],
    ['downtime', /left, limit 300 ms/],
    ['cloud-hypervisor', /^estimated downtime/],
    ['proxmox-doubling', /left, limit/],
  ] as const)('obeys the stop rule %s and arrives whole', async (rule, reason) => {
    const setup = smallSetup({ plan: { observeNs: 0, stop: stopDefaults[rule], timeoutNs: 20e9 } });
    const world = await vmWorld(setup, { destination: destination.address });
    try {
      const course = await drive(setup.plan, world);
      expect(course, course.reason).toMatchObject({ outcome: 'completed', owner: 'destination' });
      expect(course.reason).toMatch(reason);
      expect(course.verified).toEqual({ memory: 'identical', continued: 'identical' });
    } finally {
      await world.close();
    }
  });

  test('sends of a page that was sent before only what has changed, if told to: fewer bytes, and all of it arrives', async () => {
    const setup = smallSetup({
      guest: { program: { kind: 'sequential', pages: 200, writesPerSecond: 2_000 } },
      plan: { observeNs: 0, stop: { rule: 'rounds', rounds: 3 } },
    });
    const bytesPerPage = async (deltas: boolean) => {
      const world = await vmWorld({ ...setup, deltas }, { destination: destination.address });
      try {
        const { rounds, stop, verified } = await drive(setup.plan, world);
        expect(verified).toEqual({ memory: 'identical', continued: 'identical' });
        const again = [...rounds.slice(1), { sentPages: stop.pages, bytes: stop.bytes }];
        const pages = again.reduce((sum, { sentPages }) => sum + sentPages, 0);
        expect(pages).toBeGreaterThan(100);
        return again.reduce((sum, { bytes }) => sum + bytes, 0) / pages;
      } finally {
        await world.close();
      }
    };
    expect(await bytesPerPage(false)).toBe(4_112);
    // A write changes a few words, and the program comes by every tenth of a second.
    expect(await bytesPerPage(true)).toBeLessThan(1_000);
  });

  test('refuses to tell what has changed in pages that are sent in pieces', async () => {
    const guest = { pages: 4, pageSizeBytes: 2 * 2 ** 20 };
    const setup = { ...smallSetup({ guest, plan: { depthBytes: 2 ** 22 } }), deltas: true };
    const refused = vmWorld(setup, { destination: destination.address });
    await expect(refused).rejects.toThrow('vm.delta: pages of at most 1 MiB');
  });

  test('counts how long the guest was paused if the stop is given up before its first page', async () => {
    const setup = smallSetup({ plan: { observeNs: 0, stopTimeoutNs: 1, depthBytes: 8 * 2 ** 20 } });
    const world = await vmWorld(setup, { destination: destination.address });
    try {
      const { outcome, owner, downtimeNs, stop } = await drive(setup.plan, world);
      expect({ outcome, owner, sent: stop.pages }).toEqual({ outcome: 'aborted', owner: 'source', sent: 0 });
      expect(downtimeNs).toBeGreaterThan(0);
    } finally {
      await world.close();
    }
  });

  test('refuses a reservation that a machine’s thread cannot keep, and leaves nothing behind', async () => {
    const setup = smallSetup({
      cpu: { scheduler: 'cbs-hard', guest: { budgetNs: 2e6, periodNs: 10e6 } },
    });
    const folders = () => readdirSync('/dev/shm').filter((name) => name.startsWith('switchover-'));
    const before = folders();
    await expect(vmWorld(setup, { destination: destination.address })).rejects.toThrow(Refusal);
    const nobody = { host: '127.0.0.1', port: 1 };
    await expect(vmWorld(smallSetup(), { destination: nobody })).rejects.toThrow(/no destination/);
    const left = folders().filter((name) => !before.includes(name));
    // The machines of tests beside this one go, too.
    await expect.poll(() => left.filter((name) => folders().includes(name))).toEqual([]);
  });
});
