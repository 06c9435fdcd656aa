import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { measureProfile } from '../../../src/run/profile/measure-profile.ts';
import { machineProfileSchema } from '../../../src/scenario/machine-profile.ts';

vi.setConfig({ testTimeout: 240_000 });

test('a machine is measured into a profile that can be read, and nothing else is left behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  try {
    const told: string[] = [];
    const profile = await measureProfile(folder, (what) => told.push(what));
    expect(machineProfileSchema.safeParse(profile).error).toBeUndefined();
    expect(told.length).toBeGreaterThan(2);
    expect(readdirSync(folder)).toEqual([]);
    // To hash takes longer than to copy, whatever the machine.
    const { hashNsPerMebibyte, copyNsPerMebibyte } = profile.costs;
    expect(hashNsPerMebibyte.median).toBeGreaterThan(copyNsPerMebibyte.median);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
