import { describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../src/core/migration/migration-result.ts';
import { driveSync } from '../../src/run/drive.ts';
import { decodeTraceLine, encodeTraceLine, replay, type TraceLine } from '../../src/run/trace.ts';
import { experimentOf, scenarioOf, seeded } from '../../src/scenario/scenario.ts';
import type { MigrationSpec } from '../../src/workload/migration-spec.ts';
import { LumpedWorld } from '../../src/worlds/virtual/lumped-world.ts';
import { VirtualWorld } from '../../src/worlds/virtual/virtual-world.ts';
import { virtualWorld } from '../../src/worlds/virtual/virtual-worlds.ts';

/** Cases of a size that people have; whence they are, says test/fixtures/field/README.md. */
function specOf(guest: object, rate: string, migration: object): MigrationSpec {
  const document = {
    guest,
    link: { rate, overhead: 0 },
    migration: { observe: '0s', order: 'address', clear: 'round', ...migration },
  };
  const [cell] = experimentOf(scenarioOf(document, { name: 'huge', file: undefined })).cells;
  return seeded(cell!, 1);
}

function migrated(spec: MigrationSpec): { readonly result: MigrationResult; readonly steps: number } {
  const world = virtualWorld(spec);
  expect(world).toBeInstanceOf(LumpedWorld);
  let steps = 0;
  const result = driveSync(spec.plan, world, () => {
    steps += 1;
  });
  return { result, steps };
}

const classes = (...list: readonly (readonly [number, number])[]) => ({
  kind: 'classes',
  classes: list.map(([pages, writesPerSecond]) => ({ pages, writesPerSecond })),
});
const qemu = (limit: string) => ({ stop: { rule: 'downtime', limit } });

describe('in virtual time', () => {
  const tebibyte = specOf(
    { pages: 268_435_456, program: classes([100_000, 10], [1_000_000, 0.01]) },
    '100Gbit/s',
    qemu('1ms'),
  );

  // cloud-hypervisor#7033.
  test('1 TiB at 100 Gbit/s takes 88 s, and stands for less than its limit of 1 ms', () => {
    const { result } = migrated(tebibyte);
    expect(result.outcome).toBe('completed');
    expect(result.downtimeNs).toBeLessThan(1e6);
    expect(result.totalNs / 1e9).toBeCloseTo(88.2, 0);
    expect(result.link.worstExcessBytes).toBeLessThanOrEqual(0);
    expect(result.link.windows.every(({ mostBytes, allowedBytes }) => mostBytes <= allowedBytes!)).toBe(true);
  });

  test('a trace of it has counts, and comes to the same when it is replayed', () => {
    const lines: TraceLine[] = [{ plan: tebibyte.plan }];
    const course = driveSync(tebibyte.plan, virtualWorld(tebibyte), (step, seen) =>
      lines.push({ step, seen }),
    );
    const read = [...lines, { course }].map((line) => decodeTraceLine(encodeTraceLine(line), 'trace'));
    expect(replay(read)).toMatchObject({ difference: undefined, steps: lines.length - 1 });
  });

  // QEMU's commit 7ca1dfad: until they are scanned, pages of zeros count as whole ones.
  test('a working set of 2.8 GB that is written over and over passes at 20 Gbit/s, and not at 258 MB/s', () => {
    const guest = {
      pages: 67_111_056,
      zeroPages: 64_946_416,
      program: { kind: 'saturating', pages: 688_343, writesPerSecond: 67_551 },
    };
    const at = (rate: string) =>
      migrated(specOf(guest, rate, { ...qemu('4s'), timeout: '1487503ms' })).result;
    expect(at('20Gbit/s').outcome).toBe('completed');
    expect(at('258MB/s')).toMatchObject({ outcome: 'not-converged', owner: 'source' });
  });

  // KubeVirt's VEP 109: a device of 2 GiB whose state goes with the stop.
  test('pages that are always dirty and held back are the downtime, whatever the limit', () => {
    const program = classes([524_288, 1_000], [2_000, 10], [2_095_152, 0]);
    const held = { heat: 'known', order: 'increasing', defer: { count: 524_288 }, ...qemu('300ms') };
    const { result } = migrated(specOf({ pages: 2_621_440, program }, '10Gbit/s', held));
    expect(result.reason).toBe('all that is dirty waits for the stop');
    expect(result.downtimeNs / 1e9).toBeCloseTo(1.718, 2);
    expect(result.rounds[0]!.deferredPages).toBe(524_288);
  });

  // cloudstack#12733.
  test('8 TB in pages of 1 MiB take 6,400 s at 10 Gbit/s', () => {
    const guest = { pages: 7_629_395, pageSize: '1MiB', program: classes([1_000, 0.05]) };
    const { result } = migrated(specOf(guest, '10Gbit/s', { ...qemu('300ms'), timeout: '6h' }));
    expect(result.outcome).toBe('completed');
    expect(result.totalNs / 1e9).toBeCloseTo(6_400, -1);
  });

  test('pages are drawn one by one where they are few, or where the plan tells them apart', () => {
    const program = classes([1_000, 1]);
    const stop = { rule: 'rounds', rounds: 1 };
    const worldOf = (pages: number, migration: object) =>
      virtualWorld(specOf({ pages, program }, '1Gbit/s', { stop, ...migration }));
    expect(worldOf(2 ** 18, {})).toBeInstanceOf(LumpedWorld);
    expect(worldOf(2 ** 18 - 1, {})).toBeInstanceOf(VirtualWorld);
    expect(worldOf(2 ** 18, { clear: 'chunk(1024)' })).toBeInstanceOf(VirtualWorld);
    expect(worldOf(2 ** 18, { order: 'lru' })).toBeInstanceOf(VirtualWorld);
    expect(worldOf(2 ** 18, { order: 'lru', heat: 'known' })).toBeInstanceOf(LumpedWorld);
    expect(worldOf(2 ** 18, { order: 'threshold', heat: 'known' })).toBeInstanceOf(VirtualWorld);
  });
});
