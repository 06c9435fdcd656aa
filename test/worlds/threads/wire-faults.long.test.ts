import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freeCpu } from '../../../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import { drive } from '../../../src/run/drive.ts';
import { Host } from '../../../src/worlds/threads/host.ts';
import { threadsWorld } from '../../../src/worlds/threads/threads-world.ts';
import { ByteProxy, type PassingFrame, type WireFault } from '../../faults/proxy.ts';
import { smallSetup } from '../../fixtures/setup.ts';

/** What the record says of a migration whose frames are changed or held up between two real ends. */
const { guest, plan } = smallSetup({ plan: { verify: 'checksums', observeNs: 0 } });
const SILENCE_MS = 2_000;
const PATIENCE_MS = 20_000;
const LATE_MS = 800;

let destination: Host;
let proxy: ByteProxy | undefined;
beforeEach(async () => {
  destination = await Host.listen({ host: '127.0.0.1', port: 0, log: () => {} });
});
afterEach(async () => {
  await proxy?.end();
  await destination.close();
});

async function migrated(
  key: Uint8Array | null,
  awaited: (frame: PassingFrame) => boolean,
  fault: WireFault,
  silenceMs = PATIENCE_MS,
): Promise<MigrationResult> {
  await destination.close();
  const keyed = key && { key, tls: 'off' as const };
  destination = await Host.listen({ host: '127.0.0.1', port: 0, ...keyed, log: () => {} });
  proxy = await ByteProxy.start(destination.address.port, awaited, fault);
  const to = { host: '127.0.0.1', port: proxy.port, key: null, ...keyed, silenceMs };
  const world = await threadsWorld({ guest, plan, cpu: freeCpu }, { to, viewerHost: '127.0.0.1' });
  try {
    return await drive(plan, world);
  } finally {
    await world.close();
  }
}

const sumOfParts = ({ downtimeParts: { lookNs: _, ...parts } }: MigrationResult) =>
  Object.values(parts).reduce((sum, ns) => sum + ns, 0);

describe('a change in what a page holds', () => {
  const coldPage = ({ type, bytes }: PassingFrame) => type === 'page' && bytes.readUInt32LE(8) === 799;

  test.each([
    null,
    Buffer.alloc(32, 3),
  ])('is found at the end of its round, before the guest is paused: key %s', async (key) => {
    const result = await migrated(key, coldPage, ({ way, bytes }, wire) => {
      const changed = Buffer.from(bytes);
      changed[1_000]! ^= 1;
      wire.send(way, changed);
    });
    expect(result).toMatchObject({ outcome: 'failed', owner: 'source', downtimeNs: 0 });
    expect(result.reason).toContain('what was received of the guest differs from what was sent');
  });
});

describe('the wait for the answer to a commit', () => {
  test('that comes late is not downtime: the destination says when the guest ran', async () => {
    const result = await migrated(
      null,
      ({ type }) => type === 'running',
      (frame, wire) => {
        wire.hold(new Promise((resolve) => setTimeout(resolve, LATE_MS)));
        wire.send(frame.way, frame.bytes);
      },
    );
    expect(result).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(result.downtimeNs).toBeLessThan(1e6 * LATE_MS);
    expect(result.outage!.longestGapNs).toBeLessThan(1e6 * LATE_MS);
    expect(sumOfParts(result)).toBeCloseTo(result.downtimeNs, 0);
    expect(result.notes).toContainEqual(expect.stringContaining('late that the guest runs'));
  });

  test('that never comes is not downtime either: it is known up to the commit, and the record says so', async () => {
    const result = await migrated(
      null,
      ({ type }) => type === 'running',
      (_, wire) => wire.hole('to source', 'to destination'),
      SILENCE_MS,
    );
    expect(result).toMatchObject({ outcome: 'failed', owner: 'nobody' });
    expect(result.downtimeNs).toBeGreaterThan(0);
    expect(result.downtimeNs).toBeLessThan(SILENCE_MS * 1e6);
    expect(result.downtimeParts.memoryNs).toBe(result.stop.durationNs);
    expect(sumOfParts(result)).toBeCloseTo(result.downtimeNs, 0);
    expect(result.notes).toContainEqual(
      expect.stringContaining('the downtime is known up to the commit only'),
    );
    // The guest runs there, and its client hears it.
    expect(result.outage!.longestGapNs).toBeLessThan(SILENCE_MS * 1e6);
  });

  test('to a commit that never arrived is a gap that its client is still in', async () => {
    const result = await migrated(
      null,
      ({ type }) => type === 'commit',
      (_, wire) => wire.hole('to source', 'to destination'),
      SILENCE_MS,
    );
    expect(result).toMatchObject({ outcome: 'failed', owner: 'nobody' });
    expect(result.outage!.longestGapNs).toBeGreaterThan(SILENCE_MS * 1e6);
  });
});
