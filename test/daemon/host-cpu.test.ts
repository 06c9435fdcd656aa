import { expect, test } from 'vitest';
import type { Scheduler } from '../../src/core/cpu/cpu-plan.ts';
import { HostCpu } from '../../src/daemon/host-cpu.ts';

const keptBy = (scheduler: Scheduler, budgets: readonly number[]) =>
  budgets.map((budget) => ({ budgetNs: Math.round(budget * 1e6), periodNs: 10e6, scheduler }));
const tenths = (...budgets: number[]) => keptBy('cbs-hard', budgets);
const kernels = (...budgets: number[]) => keptBy('deadline', budgets);

const machine = (count: number) => ({ count, time: count, by: 'the machine' });

test('each reservation fits on one processor, and of none more than 0.95 is reserved', () => {
  const cpu = new HostCpu(machine(2));
  expect(cpu.fits(tenths(9.5, 9.5))).toBe(true);
  expect(cpu.fits(tenths(9.6))).toBe(false);
  // 1.8 of 1.9, but in thirds that cannot be divided so.
  expect(cpu.fits(tenths(6, 6, 6))).toBe(false);
});

test('what is taken is there again once it is given back, which counts once', () => {
  const cpu = new HostCpu(machine(1));
  let freed = 0;
  cpu.watch(() => freed++);
  const giveBack = cpu.take('guest', 'stream', tenths(6));
  const other = cpu.take('migration', 'id', tenths(3));
  expect(() => cpu.take('experiment', 'id', tenths(4))).toThrow(
    '0.40 of a processor asked for, 0.90 in use, of 1; at most 0.95 of each may be reserved',
  );
  expect(cpu.view()).toMatchObject({
    processors: 1,
    reservablePerProcessor: 0.95,
    reserved: { guest: 0.6, migration: 0.3, experiment: 0 },
    holders: [
      { holder: 'guest', name: 'stream', share: 0.6 },
      { holder: 'migration', name: 'id', share: 0.3 },
    ],
  });
  giveBack();
  giveBack();
  expect(freed).toBe(1);
  cpu.take('experiment', 'id', tenths(6))();
  other();
  expect(cpu.view().holders).toEqual([]);
});

test('who reserves nothing is let in however much is reserved, and is not listed', () => {
  const cpu = new HostCpu(machine(1));
  cpu.take('guest', 'full', tenths(9.5));
  cpu.take('guest', 'modest', [])();
  expect(cpu.view().holders).toHaveLength(1);
});

test('of less time than its processors have, a container reserves no more than 0.95 of it', () => {
  const cpu = new HostCpu({ count: 2, time: 0.5, by: '/sys/fs/cgroup/cpu.max' });
  expect(cpu.fits(tenths(2, 2))).toBe(true);
  expect(() => cpu.take('guest', 'stream', tenths(3, 2))).toThrow(
    '0.30 and 0.20 of a processor asked for, 0.00 in use, of the 0.5 that /sys/fs/cgroup/cpu.max allows',
  );
  expect(cpu.view().processors).toBe(0.5);
});

const most = { budgetNs: 950e6, periodNs: 1e9 };
const fairServer = { budgetNs: 50e6, periodNs: 1e9 };

test('what the kernel keeps is a sum over all processors, as the kernel admits it, without a partition', () => {
  const cpu = new HostCpu(machine(2), { most, kept: null });
  expect(cpu.fits(kernels(6, 6, 6))).toBe(true);
  expect(cpu.fits(kernels(9.6))).toBe(true);
  expect(cpu.fits(kernels(6, 6, 6, 1.1))).toBe(false);
  expect(cpu.fits(tenths(6, 6, 6))).toBe(false);
});

test('the kernel keeps less where its fair server has a part, and refuses nothing where it has no limit', () => {
  const cpu = new HostCpu(machine(2), { most, kept: fairServer });
  expect(cpu.fits(kernels(9, 9))).toBe(true);
  expect(() => cpu.take('guest', 'greedy', kernels(9.2, 9))).toThrow(
    '0.92 and 0.90 of a processor asked for, 0.00 in use, of 2; the kernel lets 1.80 of all together be reserved',
  );
  expect(new HostCpu(machine(2), { most: null, kept: null }).fits(kernels(10, 10))).toBe(true);
});

test('what the kernel keeps is not there for the dispatcher', () => {
  const cpu = new HostCpu(machine(2), { most, kept: null });
  cpu.take('guest', 'stream', kernels(9, 5));
  expect(cpu.fits(tenths(5))).toBe(true);
  expect(cpu.fits(tenths(6))).toBe(false);
});
