import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import { drive } from '../../../src/run/drive.ts';
import type { MigrationSpec } from '../../../src/workload/migration-spec.ts';
import type { ProgramSpec } from '../../../src/workload/programs.ts';
import { type WorldFactory, worldFactory } from '../../../src/worlds/worlds.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const recording = readFileSync(
  new URL('../../../traces/vlc-http-stream.ndjson.gz', import.meta.url),
).toString('base64');

let factory: WorldFactory;
beforeAll(async () => {
  factory = await worldFactory('threads');
});
afterAll(() => factory.close());

async function migrate(setup: MigrationSpec): Promise<MigrationResult> {
  const world = await factory.create(setup);
  try {
    return await drive(setup.plan, world);
  } finally {
    await world.close();
  }
}

const programs: [string, ProgramSpec, number][] = [
  ['classes', smallSetup().guest.program, 800],
  ['sequential', { kind: 'sequential', pages: 300, writesPerSecond: 20_000 }, 800],
  [
    'stream',
    { kind: 'stream', framePeriodNs: 10e6, cpuPerFrameNs: 1e6, pagesPerFrame: 20, bufferPages: 200 },
    800,
  ],
  ['trace', { kind: 'trace', recording }, 12_928],
];

describe('every program', () => {
  test.each(
    programs,
  )('%s goes on at the destination as if it had never moved', async (kind, program, pages) => {
    const heartbeatPeriodNs = kind === 'stream' ? 10e6 : 5e6;
    const course = await migrate(
      smallSetup({
        guest: { program, pages, heartbeatPeriodNs },
        plan: {
          pages,
          stop: { rule: 'rounds', rounds: 2 },
          rateBytesPerSecond: null,
          stopRateBytesPerSecond: null,
        },
      }),
    );
    expect(course).toMatchObject({
      outcome: 'completed',
      verified: { memory: 'identical', continued: 'identical' },
      outage: { lostHeartbeats: 0, repeatedHeartbeats: 0 },
    });
  });
});

test('a guest that writes at full speed through thirty unlimited rounds arrives whole', async () => {
  const course = await migrate(
    smallSetup({
      guest: { program: { kind: 'sequential', pages: 500, writesPerSecond: 300_000 } },
      plan: { stop: { rule: 'rounds', rounds: 30 }, rateBytesPerSecond: null, stopRateBytesPerSecond: null },
    }),
  );
  expect(course.verified).toEqual({ memory: 'identical', continued: 'identical' });
  expect(course.rounds).toHaveLength(30);
});

test('the hand-over leaves no thread and no socket of the source behind', async () => {
  const before = process.getActiveResourcesInfo().length;
  await migrate(smallSetup());
  await new Promise((resolve) => setImmediate(resolve));
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
});

test('a bucket too shallow for a page of this wire is refused before anything starts', async () => {
  await expect(factory.create(smallSetup({ plan: { depthBytes: 4096 } }))).rejects.toThrow(
    'link.depth is 4096 bytes, but a page with its header needs 4112',
  );
});
