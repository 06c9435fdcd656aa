import { expect, test } from 'vitest';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import { predictedMachine } from '../../src/scenario/machine-profile.ts';
import { machineProfileFile } from '../../src/scenario/scenario-file.ts';
import { switchover } from '../fixtures/command.ts';

const scenario = ['01-first-migration', '--quiet', '--set', 'compare=null'];
const run = (...flags: readonly string[]) => switchover('run', ...scenario, '--runs', '1', ...flags);

test('run --machine adds the hand-over to virtual time, and the record says whose', async () => {
  const { stdout } = await run('--machine', 'typical', '--json', '-');
  const record: MigrationRecord = JSON.parse(stdout);
  const { name, sha256 } = predictedMachine(machineProfileFile('typical'), 'threads');
  expect(record.machine).toEqual({ name, sha256, world: 'threads' });
  for (const part of ['stateNs', 'commitNs', 'resumeNs'] as const)
    expect(record.downtimeParts[part]).toBeGreaterThan(0);
  const without: MigrationRecord = JSON.parse((await run('--json', '-')).stdout);
  expect(without.machine).toBeUndefined();
  expect(without.downtimeNs).toBe(without.downtimeParts.memoryNs);
});

test('the table shows the parts of the downtime with a profile, and says so without one', async () => {
  expect((await run('--machine', 'typical')).stdout).toContain('Parts of the downtime in ms');
  expect((await run()).stdout).toContain('because no machine profile is given');
});

test('predict --machine adds to the downtime what no b_d shortens', async () => {
  const downtimeNs = async (...flags: readonly string[]) =>
    JSON.parse(
      (await switchover('predict', '01-first-migration', '--set', 'compare=null', '--json', '-', ...flags))
        .stdout,
    ).downtimeNs;
  const { costs } = predictedMachine(machineProfileFile('typical'), 'threads');
  const least = costs.stateNs.median + costs.commitNs.median + costs.resumeNs.median;
  expect((await downtimeNs('--machine', 'typical')) - (await downtimeNs())).toBeGreaterThan(least);
});

test.each([
  [['--costs-of', 'vm'], '--costs-of: expected to be used together with --machine FILE'],
  [['--machine', 'package.json'], 'schema: expected switchover.machine/1'],
  [['--machine', 'typical', '--world', 'qemu-native'], '--machine: expected another world'],
])('%j is refused before anything runs', async (flags, why) => {
  const { code, stderr } = await run(...flags);
  expect(stderr).toContain(why);
  expect(code).toBe(2);
});
