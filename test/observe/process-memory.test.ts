import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { BaselineCopy } from '../../src/observe/baseline-copy.ts';
import { ProcessMemory } from '../../src/observe/process-memory.ts';
import { Failure } from '../../src/platform/failure.ts';
import { PageWriter } from '../fixtures/page-writer.ts';

const PAGES = 1_500;
const lots = 2 ** 32;

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

async function watched() {
  const writer = await PageWriter.start(PAGES);
  cleanUp.push(() => writer.end());
  const memory = new ProcessMemory(writer.pid);
  cleanUp.push(() => memory.close());
  return { writer, memory, baseline: new BaselineCopy(memory, lots) };
}

describe.skipIf(process.platform !== 'linux')('the memory of a process', () => {
  test('has exactly those pages of a buffer changed that its program says it wrote', async () => {
    const { writer, baseline } = await watched();
    const first = writer.firstPage();
    baseline.scan();
    const random = Random.seeded(24, 0);
    for (let turn = 0; turn < 40; turn++) {
      const density = [0, 0.001, 0.05, 0.9][turn % 4]!;
      const pages = Array.from({ length: PAGES }, (_, page) => page).filter(() => random.uniform() < density);
      await writer.write(pages);
      const changed = [...baseline.scan()].map((place) => baseline.pageAt(place) - first);
      expect(changed.filter((page) => page >= 0 && page < PAGES)).toEqual(pages);
    }
  });

  test('is as large as the kernel says: all of its writable mappings that is resident', async () => {
    const { writer, baseline } = await watched();
    await writer.stop();
    baseline.scan();
    const resident = readFileSync(`/proc/${writer.pid}/smaps`, 'utf8')
      .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      .filter((mapping) => /^\S+ .w/.test(mapping))
      .reduce((sum, mapping) => sum + Number(/^Rss: +(\d+) kB/m.exec(mapping)![1]) / 4, 0);
    expect(resident).toBeGreaterThan(PAGES);
    // Pages that were only ever read are the kernel's one page of zeros: there, but not counted as resident.
    expect(baseline.seenPages).toBeGreaterThanOrEqual(resident);
    expect(baseline.seenPages).toBeLessThan(resident * 1.05);
  });

  test('is only read: no page appears in it, nothing is faulted in, and its process goes on', async () => {
    const { writer, baseline } = await watched();
    const kernelSays = () => {
      const status = readFileSync(`/proc/${writer.pid}/status`, 'utf8');
      const memory = ['VmSize', 'VmRSS', 'VmPTE', 'VmSwap', 'TracerPid'].map(
        (key) => status.match(`${key}:.*`)![0],
      );
      const stat = readFileSync(`/proc/${writer.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return { memory, minorFaults: stat[7], majorFaults: stat[9] };
    };
    await writer.stop();
    const before = kernelSays();
    for (let i = 0; i < 20; i++) baseline.scan();
    expect(kernelSays()).toEqual(before);
    expect(before.memory).toContain('TracerPid:\t0');
    writer.goOn();
    await writer.write([3]);
  });

  test('has no change while its process stands', async () => {
    const { writer, baseline } = await watched();
    await writer.stop();
    baseline.scan();
    for (let i = 0; i < 5; i++) expect(baseline.scan().length).toBe(0);
  });

  test('is gone with its process', async () => {
    const { writer, baseline } = await watched();
    baseline.scan();
    await writer.end();
    expect(() => baseline.scan()).toThrow(Failure);
    expect(() => baseline.scan()).toThrow(/node \(process \d+\) has no memory: it has ended/);
    expect(() => new ProcessMemory(writer.pid)).toThrow(`there is no process ${writer.pid}`);
  });

  test('is not mistaken for that of a program which the process executes afterwards', async () => {
    const shell = spawn('sh', ['-c', 'echo ready; read go; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    cleanUp.push(() => void shell.kill('SIGKILL'));
    await once(shell.stdout, 'data');
    const memory = new ProcessMemory(shell.pid!);
    cleanUp.push(() => memory.close());
    const baseline = new BaselineCopy(memory, lots);
    baseline.scan();
    shell.stdin.write('go\nstill there\n');
    await once(shell.stdout, 'data');
    expect(() => baseline.scan()).toThrow(/executes another program now/);
  });
});
