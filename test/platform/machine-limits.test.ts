import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryLimits, processorLimit } from '../../src/platform/machine-limits.ts';
import { MemoryRoom } from '../../src/platform/memory-room.ts';

const MIB = 2 ** 20;
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchover-limits-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Files of /proc and /sys as a machine with other control groups than this one has them. */
function machineWith(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
}

const version2 = (path: string, subtree = '/') => ({
  'proc/self/cgroup': `0::${path}`,
  'proc/self/mountinfo': `30 24 0:26 ${subtree} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate`,
});

const among = (by: string) => memoryLimits(root).find((limit) => limit.by === join(root, by));

describe('the memory that a process may use', () => {
  test('is that of the machine where nothing else limits it', () => {
    expect(memoryLimits(root)).toMatchObject([{ most: totalmem(), by: 'the machine' }]);
  });

  test('is limited by every control group above it, of which the cache does not count', () => {
    machineWith({
      ...version2('/pod/container'),
      'sys/fs/cgroup/pod/container/memory.max': 'max',
      'sys/fs/cgroup/pod/memory.max': String(150 * MIB),
      'sys/fs/cgroup/pod/memory.current': String(100 * MIB),
      'sys/fs/cgroup/pod/memory.stat': `anon ${80 * MIB}\ninactive_file ${20 * MIB}`,
    });
    expect(among('sys/fs/cgroup/pod/memory.max')).toMatchObject({ most: 150 * MIB, left: 70 * MIB });
    expect(memoryLimits(root)).toHaveLength(2);
  });

  test('is found where a container sees its own part of the tree only', () => {
    machineWith({
      ...version2('/docker/4711', '/docker/4711'),
      'sys/fs/cgroup/memory.max': String(64 * MIB),
      'sys/fs/cgroup/memory.current': String(MIB),
    });
    expect(among('sys/fs/cgroup/memory.max')).toMatchObject({ most: 64 * MIB, left: 63 * MIB });
    machineWith(version2('/../other', '/'));
    expect(among('sys/fs/cgroup/memory.max')).toMatchObject({ most: 64 * MIB });
  });

  test('is limited by `ulimit`, of which a guest takes twice its memory', () => {
    machineWith({
      'proc/self/limits': `Max data size             unlimited            unlimited            bytes
Max address space         ${1024 * MIB}           unlimited            bytes`,
      'proc/self/status': `VmSize:\t${600 * 1024} kB`,
    });
    expect(memoryLimits(root)[1]).toEqual({ most: 512 * MIB, left: 212 * MIB, by: 'ulimit -v' });
  });
});

describe('the time that a process gets of the processors', () => {
  test('is that of the least quota above it, also in version 1', () => {
    machineWith({
      ...version2('/pod/container'),
      'sys/fs/cgroup/pod/container/cpu.max': '80000 100000',
      'sys/fs/cgroup/pod/cpu.max': '50000 100000',
    });
    expect(processorLimit(root)).toMatchObject({ time: 0.5, by: join(root, 'sys/fs/cgroup/pod/cpu.max') });
    machineWith({
      'proc/self/cgroup': '4:cpu,cpuacct:/batch\n0::/',
      'proc/self/mountinfo': '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct',
      'sys/fs/cgroup/cpu/batch/cpu.cfs_quota_us': '25000',
      'sys/fs/cgroup/cpu/batch/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
    });
    expect(processorLimit(root).time).toBe(0.25);
  });

  test('is that of all its processors without a quota', () => {
    machineWith({ ...version2('/'), 'sys/fs/cgroup/cpu.max': 'max 100000' });
    const { count, time } = processorLimit(root);
    expect(time).toBe(count);
  });
});

describe('room for guests', () => {
  const limits = () => [{ most: 300 * MIB, left: 130 * MIB, by: 'memory.max' }];

  test('is at most half of every limit, and what is free, given with the figures', () => {
    const room = new MemoryRoom(limits);
    expect(() => room.take(200 * MIB)).toThrow(
      'not enough memory for a guest of 200 MiB: guests may have 150 MiB of 300 MiB (memory.max)',
    );
    expect(() => room.take(100 * MIB)).toThrow('130 MiB of 300 MiB are free, and 32 MiB have to stay free');
    const giveBack = room.take(90 * MIB);
    expect(() => room.take(90 * MIB)).toThrow('guests may have 150 MiB of 300 MiB, and 90 MiB are taken');
    giveBack();
    giveBack();
    room.take(90 * MIB);
    expect(() => room.take(90 * MIB)).toThrow('are taken');
  });
});
