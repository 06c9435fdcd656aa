import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Antagonist } from '../../../src/core/antagonist.ts';
import { drive } from '../../../src/run/drive.ts';
import { Antagonists } from '../../../src/workload/antagonists/antagonists.ts';
import type { MigrationSpec } from '../../../src/workload/migration-spec.ts';
import { worldFactory } from '../../../src/worlds/worlds.ts';
import { smallSetup } from '../../fixtures/setup.ts';
import { until } from '../../fixtures/until.ts';

let antagonists = new Antagonists();
afterEach(async () => {
  await antagonists.end();
  antagonists = new Antagonists();
});

const setup = (...list: Antagonist[]) =>
  ({ guest: { seed: 1 }, antagonists: list }) as unknown as MigrationSpec;
const threads = () => readdirSync('/proc/self/task');
const memoryHog = { kind: 'memory-hog', count: 2, bytes: 2 ** 24 } as const;
const garbage = { kind: 'garbage', count: 1, bytesPerSecond: 100e6 } as const;

/** CPU time that one of these threads has used, of the busiest one. */
function usedMs(ids: readonly string[]): number {
  const used = ids.map((id) => Number(readFileSync(`/proc/self/task/${id}/schedstat`, 'utf8').split(' ')[0]));
  return Math.max(...used) / 1e6;
}

describe('antagonists of the machine', () => {
  test.each([memoryHog, garbage])('%o are threads that work until they are ended', async (antagonist) => {
    const before = new Set(threads());
    antagonists.start(setup(antagonist));
    const mine = () => threads().filter((id) => !before.has(id));
    await until('their threads', mine, (ids) => ids.length >= antagonist.count);
    await until(
      'their work',
      () => usedMs(mine()),
      (ms) => ms > 150,
    );
    await antagonists.end();
    await until('their end', mine, (ids) => ids.length === 0);
  });

  test('disturb a migration in real time, and it is whole all the same', async () => {
    const factory = await worldFactory('threads');
    const { plan, ...rest } = smallSetup({ plan: { observeNs: 0 } });
    const world = await factory.create({ plan, ...rest, antagonists: [memoryHog, garbage] });
    try {
      expect(await drive(plan, world)).toMatchObject({
        outcome: 'completed',
        verified: { memory: 'identical', continued: 'identical' },
        outage: { lostHeartbeats: 0, repeatedHeartbeats: 0 },
      });
    } finally {
      await world.close();
      await factory.close();
    }
  });
});
