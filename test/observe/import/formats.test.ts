import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importTexts } from '../../../src/observe/import/formats.ts';
import { happenedIn } from '../../../src/observe/import/happened.ts';
import type { Interval } from '../../../src/observe/import/observation.ts';

const folder = resolve(import.meta.dirname, '../../fixtures/import');
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');
const read = (...files: string[]) => importTexts(files.map((name) => ({ name, text: textOf(name) })))!;

const PAGES = 262_144;
const SECOND = 1e9;

/**
 * All these files of our own tell of one migration: 1 GiB, a quarter of it zeros, at 128 MiB/s; 128 MiB were dirtied in the
 * first pass of 6 s and 32 MiB in the second of 1 s; it ends after 7.3 s with a downtime of 40 ms. Beside each is the
 * source of the format.
 */
const formats = [
  // qapi/migration.json, MigrationInfo
  { file: 'query-migrate.ndjson', format: 'query-migrate' },
  // migration/migration-hmp-cmds.c of QEMU 9: hmp_info_migrate
  { file: 'info-migrate.txt', format: 'info migrate' },
  // the same of QEMU 10.1
  { file: 'info-migrate-10.1.txt', format: 'info migrate' },
  // libvirt, tools/virsh-domain.c: cmdDomjobinfo
  { file: 'domjobinfo.txt', format: 'domjobinfo' },
  // the same with --rawstats: keys of virDomainGetJobStats
  { file: 'domjobinfo-raw.txt', format: 'domjobinfo' },
  // kubevirt, pkg/virt-launcher/virtwrap/live-migration-source.go: logMigrationInfo
  { file: 'virt-launcher-log.ndjson', format: 'virt-launcher log' },
];

/** Some formats round what is left to three digits, and one to a MiB, which is 256 pages. */
const isNear = ({ low, high }: Interval, pages: number) =>
  low <= 1.005 * pages && high >= 0.995 * pages && high - low <= 2 * 256;

describe.each(formats)('$file', ({ file, format }) => {
  const imported = read(file);
  const { samples, dirtied, parameters } = imported.observation;

  test('is told by its content, and all of it is read', () => {
    expect(imported.format).toBe(format);
    expect(imported.missing).toEqual([]);
    expect(samples).toHaveLength(7);
    expect(parameters.totalBytes! / parameters.pageSizeBytes).toBe(PAGES);
  });

  test('gives what was dirtied from look to look', () => {
    expect(dirtied).toHaveLength(2);
    const [first, second] = dirtied;
    expect(isNear(first!.pages, 32_768)).toBe(true);
    expect(first!.exposureNs / (6 * SECOND)).toBeCloseTo(1, 1);
    expect(isNear(second!.pages, 8_192)).toBe(true);
    expect(second!.exposureNs / SECOND).toBeCloseTo(1, 1);
  });

  test('gives how it ended', () => {
    const happened = happenedIn(imported.observation);
    expect(happened).toMatchObject({ outcome: 'completed', totalNs: 7.3e9, downtimeNs: 40e6, syncs: 4 });
  });
});

test('one answer of query-migrate says how it ended, but not how its rounds went', () => {
  const { observation } = read('query-migrate.json');
  expect(happenedIn(observation).reason).toBe('the log does not say how its rounds went');
  expect(observation.samples[0]!.downtimeBytes).toBe(1474 * 4104);
});

test('answers of query-migrate-parameters and -capabilities are the parameters, in a file of their own too', () => {
  const { observation } = read('query-migrate.ndjson', 'query-migrate-parameters.ndjson');
  expect(observation.samples).toHaveLength(7);
  expect(observation.parameters).toMatchObject({
    downtimeLimitNs: 300e6,
    maxBandwidthBytesPerSecond: 134_217_728,
    // 0 is not told.
    availableSwitchoverBandwidthBytesPerSecond: null,
    autoConverge: false,
    postcopy: false,
  });
});

// migration/migration-hmp-cmds.c: hmp_info_migrate_parameters, hmp_info_migrate_capabilities
test('what the human monitor says of parameters and capabilities is read too', () => {
  const { format, observation, missing } = read('info-migrate.txt', 'info-migrate-parameters.txt');
  expect([format, missing]).toEqual(['info migrate', []]);
  expect(observation.samples).toHaveLength(7);
  expect(observation.parameters).toMatchObject({
    downtimeLimitNs: 300e6,
    maxBandwidthBytesPerSecond: 2 ** 27,
    availableSwitchoverBandwidthBytesPerSecond: 2 ** 30,
    countsFlushes: true,
    autoConverge: true,
    postcopy: false,
    throttleInitialPercent: 25,
    throttleIncrementPercent: 15,
    maxThrottlePercent: 90,
    throttleTriggerPercent: 60,
  });
});

// qapi/migration.json, DirtyRateInfo; migration/dirtyrate.c, hmp_info_dirty_rate; libvirt, docs/manpages/virsh.rst, domstats
test.each([
  ['info-dirty-rate.txt', 'info dirty_rate'],
  ['query-dirty-rate.ndjson', 'query-dirty-rate'],
  ['domstats-dirtyrate.txt', 'domstats --dirtyrate'],
])('%s gives the interval in which the pages of each window lie, as rates are rounded down', (file, format) => {
  const imported = read(file);
  expect(imported.format).toBe(format);
  expect(imported.observation.dirtied).toEqual([
    { atNs: null, exposureNs: SECOND, pages: { low: 32 * 256, high: 33 * 256 }, throttlePercent: 0 },
    {
      atNs: null,
      exposureNs: 6 * SECOND,
      pages: { low: 21 * 6 * 256, high: 22 * 6 * 256 },
      throttlePercent: 0,
    },
  ]);
  expect(imported.missing).toEqual(['1 answers without a measured rate']);
});

// vm-migration/src/context.rs: Display of MemoryMigrationContext, DowntimeContext; vmm/src/lib.rs: do_memory_migration
test('cloud-hypervisor-log.txt gives what each iteration found, what the stop sent, and how it ended', () => {
  const { format, observation } = read('cloud-hypervisor-log.txt');
  expect(format).toBe('Cloud Hypervisor log');
  const found = observation.dirtied.map(({ atNs, exposureNs, pages }) => [atNs, exposureNs, pages.high]);
  expect(found).toEqual([
    [6 * SECOND, 6 * SECOND, 32_768],
    [7 * SECOND, 1 * SECOND, 8_192],
  ]);
  expect(observation.parameters).toMatchObject({ totalBytes: 768 * 2 ** 20, downtimeLimitNs: 300e6 });
  expect(observation.downtimeParts).toContainEqual({ name: 'final_iter', ns: 260e6 });
  expect(observation.samples.at(-1)).toMatchObject({ downtimeBytes: 33 * 2 ** 20, sentBytes: 929 * 2 ** 20 });
  expect(happenedIn(observation)).toMatchObject({ outcome: 'completed', totalNs: 7.3e9, downtimeNs: 288e6 });
});

// migration/trace-events: vmstate_downtime_checkpoint, vmstate_downtime_save
test('vmstate-downtime-log.txt gives the parts of the downtime, devices by their share', () => {
  const { format, observation } = read('vmstate-downtime-log.txt');
  expect(format).toBe('vmstate_downtime trace');
  expect(observation.downtimeParts).toEqual([
    { name: 'to src-vm-stopped', ns: 2e6 },
    { name: 'to src-iterable-saved', ns: 25e6 },
    { name: 'to src-non-iterable-saved', ns: 4e6 },
    { name: 'to src-downtime-end', ns: 9e6 },
    { name: 'save ram', ns: 25e6 },
    { name: 'save 0000:00:03.0/virtio-net', ns: 831e3 },
  ]);
});

// kubevirt.io/api/core/v1/types.go: VirtualMachineInstanceMigrationState; migrations/v1alpha1: MigrationPolicySpec
test('KubeVirt’s status and policy give outcome, time and what was allowed', () => {
  const status = read('kubevirt-vmi.yaml');
  expect(status.format).toBe('KubeVirt');
  expect(happenedIn(status.observation)).toMatchObject({ outcome: 'completed', totalNs: 8 * SECOND });
  expect(status.observation.parameters).toMatchObject({
    totalBytes: 2 ** 30,
    maxBandwidthBytesPerSecond: 2 ** 27,
    autoConverge: true,
    postcopy: false,
  });
  const policy = read('kubevirt-policy.yaml').observation.parameters;
  expect(policy).toMatchObject({
    downtimeLimitNs: 500e6,
    maxBandwidthBytesPerSecond: 2 ** 26,
    postcopy: true,
  });
});

// PVE/QemuMigrate.pm: phase2
test('task logs of Proxmox give outcome, downtime and limits, and what is left if they are old', () => {
  const { format, observation, missing } = read('proxmox-task-log.txt');
  expect(format).toBe('Proxmox task log');
  expect(happenedIn(observation)).toMatchObject({
    outcome: 'completed',
    totalNs: 8 * SECOND,
    downtimeNs: 59e6,
  });
  expect(observation.parameters).toMatchObject({ totalBytes: 2 ** 30, downtimeLimitNs: 200e6 });
  expect(happenedIn(observation).phases.map(({ name }) => name)).toContain('device');
  expect(observation.samples.findLast(({ sentBytes }) => sentBytes !== null)!.sentBytes).toBe(929 * 2 ** 20);
  expect(observation.samples.find(({ dirtyPagesPerSecond }) => dirtyPagesPerSecond)!.atNs).toBe(6 * SECOND);
  expect(missing).toEqual(['what was left: this log does not tell it']);

  const old = read('proxmox-task-6-log.txt').observation;
  expect(old.dirtied.map(({ pages }) => pages.high)).toEqual([49_152]);
  expect(happenedIn(old).reason).toBe('online migrate failure - aborting');
});
