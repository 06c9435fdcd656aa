import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type BandwidthGroup,
  bandwidthGroupFor,
  enterBandwidthGroup,
  makeBandwidthGroup,
  removeBandwidthGroup,
} from '../../src/platform/bandwidth-group.ts';
import { kill } from '../../src/platform/child-process.ts';
import { setFifo } from '../../src/platform/thread-scheduling.ts';
import { withoutControlGroups } from '../fixtures/control-group.ts';

const half = { budgetNs: 5e6, periodNs: 10e6 };

let child: ChildProcess;
let group: BandwidthGroup | undefined;
beforeEach((context) => {
  if (withoutControlGroups !== undefined) context.skip(withoutControlGroups);
  child = spawn('sleep', ['60'], { stdio: 'ignore' });
});
afterEach(async () => {
  if (group) removeBandwidthGroup(group);
  group = undefined;
  await kill(child);
});

const groupsOf = () => readFileSync(`/proc/${child.pid}/cgroup`, 'utf8');

test('a thread has a group with its budget for a while, and is in its own afterwards', () => {
  const before = groupsOf();
  group = bandwidthGroupFor(child.pid!, 'switchover-test-1');
  expect(existsSync(group.folder)).toBe(false);
  makeBandwidthGroup(group, half, 0);
  enterBandwidthGroup(group, child.pid!);
  expect(groupsOf()).not.toBe(before);
  const file = group.version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max';
  expect(readFileSync(`${group.folder}/${file}`, 'utf8')).toMatch(/^5000\b/);
  expect(removeBandwidthGroup(group)).toBe(true);
  expect(groupsOf()).toBe(before);
  expect(existsSync(group.folder)).toBe(false);
  expect(removeBandwidthGroup(group)).toBe(false);
});

test('a budget that the kernel does not take is told with its limits, and leaves no group', () => {
  group = bandwidthGroupFor(child.pid!, 'switchover-test-2');
  expect(() => makeBandwidthGroup(group!, { budgetNs: 2e5, periodNs: 5e5 }, 0)).toThrow(/from 1 ms to 1 s/);
  expect(existsSync(group.folder)).toBe(false);
});

test('a thread with a priority is not limited by it, and so refused', (context) => {
  const refusal = setFifo(1, child.pid!);
  if (refusal !== undefined) context.skip(refusal);
  expect(() => bandwidthGroupFor(child.pid!, 'switchover-test-3')).toThrow('this one has a priority');
});
