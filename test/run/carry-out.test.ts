import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/core/migration/steps.ts';
import { carryOut } from '../../src/run/carry-out.ts';
import type { StepListener } from '../../src/run/drive.ts';
import type { MigrationRun } from '../../src/run/migration-run.ts';
import type { LinkShare } from '../../src/scenario/fleet.ts';
import { worldFactory } from '../../src/worlds/worlds.ts';
import { smallSetup } from '../fixtures/setup.ts';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');

const PAGES = 32_000;
const BITMAP_BYTES = PAGES / 8;

/** Xen's rule looks at what is dirty before every 16 pages. */
const spec = smallSetup({
  guest: { pages: PAGES },
  plan: { clear: 'round', skip: true, rateBytesPerSecond: 125e6, stopRateBytesPerSecond: 125e6 },
});

const share: LinkShare = {
  link: 'link',
  capacityBytesPerSecond: 125e6,
  changes: [],
  name: 'guest',
  atNs: 0,
  priority: 0,
  queueTimeoutNs: null,
  leastBytesPerSecond: 125e6,
};

async function carriedOut(share: LinkShare | null, stepped?: StepListener): Promise<MigrationRun> {
  const factory = await worldFactory('virtual');
  try {
    const [run] = await carryOut([{ spec, share, stepped }], factory, { world: 'virtual' });
    return run!;
  } finally {
    await factory.close();
  }
}

describe('a migration that looks at its dirty pages thousands of times', () => {
  test.each([
    ['alone', null],
    ['in a fleet', share],
  ])('keeps none of them, though its steps are told of: %s', async (_, share) => {
    const held: number[] = [];
    let looks = 0;
    await carriedOut(share, ({ kind }) => {
      if (kind !== 'harvest') return;
      looks += 1;
      if (looks !== 10 && looks !== 2_000) return;
      // What the first one lets go is freed while the program goes on, and surely by the next.
      for (let times = 0; times < 3; times++) gc();
      held.push(process.memoryUsage().arrayBuffers);
    });
    expect(looks).toBeGreaterThanOrEqual(2_000);
    expect(held[1]! - held[0]!).toBeLessThan((2_000 * BITMAP_BYTES) / 4);
  });
});

describe('the steps of a migration', () => {
  test('are told of once, in order, in a fleet too, where it comes to the same as alone', async () => {
    const [alone, inFleet]: Step['kind'][][] = [[], []];
    const one = await carriedOut(null, ({ kind }) => alone!.push(kind));
    const other = await carriedOut(share, ({ kind }) => inFleet!.push(kind));
    expect(inFleet).toEqual(alone);
    expect(alone!.filter((kind) => kind === 'track').length).toBe(1);
    expect(alone!.at(-1)).toBe('hand over');
    expect(other.result).toEqual(one.result);
  });

  test('say when the guest was paused, which is kept of them', async () => {
    const { pause, result } = await carriedOut(null);
    expect(pause.resumedAtNs! - pause.stoppedAtNs!).toBe(result.downtimeNs);
  });
});
