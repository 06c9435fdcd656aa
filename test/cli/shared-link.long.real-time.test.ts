import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import { recordsIn } from '../fixtures/admissions.ts';
import { switchover } from '../fixtures/command.ts';
import { onQuietMachine } from '../fixtures/quiet-machine.ts';
import { three } from '../fixtures/three-guests.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
afterAll(() => rmSync(folder, { recursive: true }));

function scenario(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The rate of the first round, which found the bucket full, as a share of the reservation. */
function shareUsed({ rounds, plan }: MigrationRecord): number {
  const { bytes, durationNs } = rounds[0]!;
  return ((bytes - plan.depthBytes) * 1e9) / durationNs / plan.rateBytesPerSecond!;
}

test('three migrations over one link use what they have reserved, within 1 %, in threads', {
  timeout: 180_000,
}, async ({ skip }) => {
  const file = scenario('three.yaml', three);
  await onQuietMachine(skip, async () => {
    const { stdout } = await switchover('run', file, '--world', 'threads', '--json', '-');
    const records = recordsIn(stdout);
    expect(records).toHaveLength(3);
    for (const record of records) expect(Math.abs(shareUsed(record) - 1)).toBeLessThan(0.01);
  });
});
