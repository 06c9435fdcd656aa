import { afterEach, describe, expect, test } from 'vitest';
import { drive } from '../../../src/run/drive.ts';
import { Host } from '../../../src/worlds/threads/host.ts';
import { neverMoved } from '../../fixtures/never-moved.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const MIB = 2 ** 20;
const program = { kind: 'classes', classes: [{ pages: 2, writesPerSecond: 40 }] } as const;
/** Two pages of which each goes in two pieces, and seventy-five that lie in several segments. */
const shapes = [
  { pages: 2, pageSizeBytes: 2 * MIB, depthBytes: 2 * MIB, zeroPages: 0 },
  { pages: 75, pageSizeBytes: 4096, depthBytes: 65_536, zeroPages: 20 },
];

describe.each(shapes)('a guest of $pages pages of $pageSizeBytes bytes', ({ depthBytes, ...shape }) => {
  const hosts: Host[] = [];
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
  });

  async function host(segmentBytes: number): Promise<Host> {
    const made = await Host.listen({ host: '127.0.0.1', port: 0, segmentBytes, log: () => {} });
    hosts.push(made);
    return made;
  }

  test('arrives whole where its memory lies in other segments, and goes on as if it had never moved', async () => {
    const { guest, plan, cpu } = smallSetup({
      guest: { ...shape, program },
      plan: { depthBytes, observeNs: 0, rateBytesPerSecond: 100e6, stopRateBytesPerSecond: 100e6 },
    });
    const [here, there] = [await host(16 * 4096), await host(4096)];
    await here.boot({ guest, reservation: null });
    const world = await here.migrate(guest.name, { plan, cpu }, { ...there.address, key: null });
    const course = await drive(plan, world);
    await world.close();
    expect(course).toMatchObject({ outcome: 'completed', verified: { memory: 'identical' } });
    expect(course.rounds[0]).toMatchObject({ sentPages: shape.pages, zeroPages: shape.zeroPages });
    await there.pause(guest.name);
    const { steps } = there.guests()[0]!;
    expect(await there.hash(guest.name)).toBe(neverMoved(guest, steps));
  });
});
