import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { UsageError } from '../../src/platform/problem.ts';
import { predictedMachine } from '../../src/scenario/machine-profile.ts';
import { machineProfileFile } from '../../src/scenario/scenario-file.ts';

const typical = machineProfileFile('typical');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The profile that is shipped, with something in it changed. */
function changed(change: (profile: Record<string, Record<string, unknown>>) => void): string {
  const profile = parse(readFileSync(typical, 'utf8'));
  change(profile);
  const file = join(folder, 'changed.yaml');
  writeFileSync(file, stringify(profile));
  return file;
}

test.each(['threads', 'vm'] as const)('the profile that is shipped has the costs of world %s', (world) => {
  const { name, sha256, costs } = predictedMachine(typical, world);
  expect(name).toBe('typical');
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(costs.stateNs.median).toBeGreaterThan(0);
  expect(costs.idleShare === undefined).toBe(world === 'threads');
});

test('all that is wrong with a profile is told at once, with its paths', () => {
  const file = changed(({ costs, threads }) => {
    costs!.threadSwitchNs = { median: 5, p95: 4, samples: 3 };
    delete threads!.commitNs;
    threads!.stateNs = { median: -1, p95: 4, samples: 0 };
  });
  const paths = () => {
    try {
      predictedMachine(file, 'threads');
      return [];
    } catch (cause) {
      return (cause as UsageError).problems.map(({ path }) => path);
    }
  };
  expect(paths()).toEqual([
    'costs.threadSwitchNs.p95',
    'threads.stateNs.median',
    'threads.stateNs.samples',
    'threads.commitNs',
  ]);
});

test('a profile of a machine without QEMU predicts no virtual machine', () => {
  const file = changed((profile) => {
    delete profile.vm;
  });
  expect(() => predictedMachine(file, 'vm')).toThrow(UsageError);
  expect(predictedMachine(file, 'threads').world).toBe('threads');
});
