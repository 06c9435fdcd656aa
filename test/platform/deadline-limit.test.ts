import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deadlineLimit } from '../../src/platform/deadline-limit.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'deadline-limit-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, value: number): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), `${value}\n`);
}

const share = (budgetNs: number, periodNs: number) => ({ budgetNs, periodNs });

describe('what the kernel lets be reserved', () => {
  test('is what its sysctl says, and 95 % where there is none to be read', () => {
    expect(deadlineLimit(root, '6.1.0')).toEqual({ most: share(950e6, 1e9), kept: null });
    write('proc/sys/kernel/sched_rt_runtime_us', 400_000);
    write('proc/sys/kernel/sched_rt_period_us', 500_000);
    expect(deadlineLimit(root, '6.1.0').most).toEqual(share(400e6, 500e6));
    write('proc/sys/kernel/sched_rt_runtime_us', -1);
    expect(deadlineLimit(root, '6.1.0').most).toBeNull();
  });

  test('is less by the fair server: as debugfs says, or 5 % since Linux 6.12', () => {
    const kept = (kernel: string) => deadlineLimit(root, kernel).kept;
    expect(kept('6.11.9-generic')).toBeNull();
    expect(kept('6.12.0')).toEqual(share(50e6, 1e9));
    expect(kept('7.0-rc1')).toEqual(share(50e6, 1e9));
    write('sys/kernel/debug/sched/fair_server/cpu0/runtime', 20_000_000);
    write('sys/kernel/debug/sched/fair_server/cpu0/period', 500_000_000);
    expect(kept('6.12.0')).toEqual(share(20e6, 500e6));
  });
});
