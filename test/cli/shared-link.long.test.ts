import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import { switchover } from '../fixtures/command.ts';
import { onQuietMachine } from '../fixtures/quiet-machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
afterAll(() => rmSync(folder, { recursive: true }));

const three = `
describe: Three idle guests over one link
guest: { pages: 1500, program: { kind: classes, classes: [ { pages: 1, writesPerSecond: 0 } ] } }
link: { capacity: 100Mbit/s, rate: 20Mbit/s, depth: 512KiB }
fleet:
  - { name: slow }
  - { name: middle, set: { link.rate: 30Mbit/s, guest.pages: 2200 } }
  - { name: fast, set: { link.rate: 50Mbit/s, guest.pages: 3600 } }
migration: { order: address }
`;

/** The rate of the first round, which found the bucket full, as a share of the reservation. */
function shareUsed({ rounds, plan }: MigrationRecord): number {
  const { bytes, durationNs } = rounds[0]!;
  return ((bytes - plan.depthBytes) * 1e9) / durationNs / plan.rateBytesPerSecond!;
}

test('three migrations over one link use what they have reserved, within 1 %, in threads', {
  timeout: 180_000,
}, async ({ skip }) => {
  const file = join(folder, 'three.yaml');
  writeFileSync(file, three);
  await onQuietMachine(skip, async () => {
    const { stdout } = await switchover('run', file, '--world', 'threads', '--json', '-');
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as MigrationRecord);
    expect(records).toHaveLength(3);
    for (const record of records) expect(Math.abs(shareUsed(record) - 1)).toBeLessThan(0.01);
  });
});
