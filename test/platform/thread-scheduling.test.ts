import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { setDeadline, threadId, whyRefused } from '../../src/platform/thread-scheduling.ts';

afterEach(() => {
  vi.doUnmock(import('../../src/platform/libc.ts'));
  vi.resetModules();
});

/** The same without koffi. */
async function withChrt(): Promise<typeof import('../../src/platform/thread-scheduling.ts')> {
  vi.resetModules();
  vi.doMock(import('../../src/platform/libc.ts'), () => ({ schedSetattr: () => undefined }));
  return import('../../src/platform/thread-scheduling.ts');
}

const impossible = { budgetNs: 20e6, periodNs: 10e6 };

describe('a reservation of more than its period', () => {
  test('is refused as invalid, with the limits', () => {
    expect(setDeadline(impossible, { reclaim: false })).toBe('EINVAL');
    expect(whyRefused('EINVAL', impossible)).toContain('20 ms every 10 ms');
    expect(whyRefused('EINVAL', impossible)).toContain('from 100 µs to 4.19 s');
  });

  test.skipIf(spawnSync('chrt', ['-V']).status !== 0)('is refused in the same way through chrt', async () => {
    const { setDeadline } = await withChrt();
    expect(setDeadline(impossible, { reclaim: false })).toBe('EINVAL');
  });
});

test('reclaiming is not to be had through chrt', async () => {
  const { setDeadline } = await withChrt();
  expect(setDeadline({ budgetNs: 2e6, periodNs: 10e6 }, { reclaim: true })).toBe('ENOSYS');
  expect(whyRefused('ENOSYS')).toContain('npm install koffi');
});

test('every refusal names a remedy', () => {
  expect(whyRefused('EPERM', impossible)).toMatch(/CAP_SYS_NICE.*cbs-hard/);
  expect(whyRefused('EBUSY', impossible)).toMatch(
    /2\.00 of a processor is asked for, this run holds .*reserve less/,
  );
  expect(whyRefused('ENOENT', impossible)).toMatch(/koffi.*util-linux/);
  expect(whyRefused('EPERM')).toMatch(/^the kernel refuses the priority: /);
});

test('the number of a thread is the one by which the kernel knows it', () => {
  expect(readFileSync(`/proc/${process.pid}/task/${threadId()}/comm`, 'utf8')).not.toBe('');
});

const [major = 0, minor = 0] = release().split('.').map(Number);
const knowsSlices = major > 6 || (major === 6 && minor >= 12);

test('a thread that goes first has its nice value and the shortest slice, by the kernel’s own account', async ({
  skip,
}) => {
  skip(process.getuid?.() !== 0, 'only root may lower a nice value');
  skip(
    !knowsSlices || !existsSync('/proc/self/sched'),
    'this kernel has no slices of threads, or does not tell',
  );
  const main = new URL('../sched/first-worker.mjs', import.meta.url);
  const [account] = await once(new Worker(main, { workerData: -3 }), 'message');
  expect(account).toMatch(/^prio\s*:\s*117$/m);
  expect(account).toMatch(/^se\.slice\s*:\s*100000$/m);
});

test('threads that ask for priorities and end leave no mappings of memory behind, of which a process may have so many', async () => {
  const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('\n').length;
  const askAndEnd = () =>
    once(new Worker(new URL('../sched/priority-worker.mjs', import.meta.url), { stderr: true }), 'exit');
  // Stacks are kept for the next thread, and its heap.
  for (let thread = 0; thread < 4; thread++) await askAndEnd();
  const before = mappings();
  const threads = 12;
  for (let thread = 0; thread < threads; thread++) expect(await askAndEnd()).toEqual([0]);
  expect(mappings() - before).toBeLessThan(threads);
});
