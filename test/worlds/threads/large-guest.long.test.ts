import { freemem } from 'node:os';
import { expect, test } from 'vitest';
import { drive } from '../../../src/run/drive.ts';
import { worldFactory } from '../../../src/worlds/worlds.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const GIB = 2 ** 30;
/** Above 2^31 bytes, which is all that Node hashes in one call. */
const PAGES = (2 * GIB) / 4096 + 1_000;
/** Both ends, and something for everybody else. */
const NEEDED_BYTES = 6 * GIB;
const lacks = freemem() < NEEDED_BYTES;
if (lacks) console.log(`skipped: a guest of 2 GiB; 6 GiB of memory would have to be free`);

test.skipIf(lacks)(
  'a guest of more than Node hashes in one call arrives whole and goes on as if it had never moved',
  async () => {
    const { guest, plan, cpu } = smallSetup({
      guest: {
        pages: PAGES,
        program: { kind: 'classes', classes: [{ pages: PAGES - 1, writesPerSecond: 0.001 }] },
      },
      plan: {
        pages: PAGES,
        ...{ observeNs: 0, rateBytesPerSecond: null, stopRateBytesPerSecond: null, verify: 'checksums' },
      },
    });
    const factory = await worldFactory('threads');
    try {
      const world = await factory.create({ guest, plan, cpu });
      const { outcome, verified } = await drive(plan, world);
      await world.close();
      expect({ outcome, ...verified }).toMatchObject({ outcome: 'completed', continued: 'identical' });
    } finally {
      await factory.close();
    }
  },
  180_000,
);
