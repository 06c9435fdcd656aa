import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../src/platform/problem.ts';
import { loadExperiment } from '../../src/scenario/scenario.ts';
import { scenarioSummary } from '../../src/study/tables/scenario-summary.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(background: string, capacity = '100Mbit/s') {
  const file = join(folder, 'scenario.yaml');
  writeFileSync(
    file,
    `guest: { pages: 100, program: { kind: sequential, writesPerSecond: 1 } }
link: { rate: 10Mbit/s${capacity === '' ? '' : `, capacity: ${capacity}`} }
background: ${background}
`,
  );
  return loadExperiment(file);
}

function problems(background: string, capacity?: string): string {
  try {
    load(background, capacity);
  } catch (cause) {
    if (cause instanceof UsageError) return cause.message;
    throw cause;
  }
  return '';
}

describe('background', () => {
  test('has hogs, which compete for processors, and antagonists, which do not', () => {
    const experiment = load(
      '[{ kind: cpu-hog, count: 2 }, { kind: cpu-hog }, { kind: cross-traffic, rate: 30Mbit/s }, { kind: timer-noise, mean: 2ms }]',
    );
    const { cpu, antagonists } = experiment.cells[0]!;
    expect(cpu.hogs).toBe(3);
    expect(antagonists).toEqual([
      { kind: 'cross-traffic', bytesPerSecond: 3_750_000 },
      { kind: 'timer-noise', meanNs: 2e6 },
    ]);
    expect(scenarioSummary(experiment)).toContain('cross-traffic (30 Mbit/s); timer-noise (mean 2 ms)');
  });

  test('has bursts of the guest itself, which are part of the guest', () => {
    const experiment = load('[{ kind: guest-burst, every: 1s, length: 100ms, factor: 4 }]');
    const { antagonists, guest } = experiment.cells[0]!;
    expect(antagonists).toEqual([{ kind: 'guest-burst', everyNs: 1e9, lengthNs: 1e8, factor: 4 }]);
    expect(guest.bursts).toEqual({ everyNs: 1e9, lengthNs: 1e8, factor: 4 });
    expect(scenarioSummary(experiment)).toContain('guest-burst (every 1 s, length 100 ms, factor 4)');
  });

  test('of no intensity is nobody, so that a ramp can begin there', () => {
    const none =
      '[{ kind: cpu-hog, count: 0 }, { kind: memory-hog, count: 0 }, { kind: garbage, count: 0, rate: 1MB/s }, { kind: cross-traffic, rate: 0 }, { kind: link-drop, every: 1s, length: 0 }, { kind: timer-noise, mean: 0 }, { kind: guest-burst, every: 1s, length: 100ms, factor: 1 }]';
    const { cpu, antagonists } = load(none).cells[0]!;
    expect([cpu.hogs, antagonists]).toEqual([0, []]);
  });

  test.each([
    ['[{ kind: gremlin }]', /an antagonist: \{ kind: cpu-hog \| memory-hog/],
    [
      '[{ kind: link-drop, every: 1s, length: 2s }]',
      /link-drop\.length: expected less than every, found "2000ms"/,
    ],
    ['[{ kind: cross-traffic, rate: 200Mbit/s }]', /cross-traffic: expected less than link\.capacity in all/],
    ['[{ kind: cross-traffic, rate: 5 }]', /a rate such as 50Mbit\/s .*, or 0, found 5/],
    ['[{ kind: memory-hog, size: 1KiB }]', /at least 1MiB/],
    [
      '[{ kind: guest-burst, every: 1s, length: 1s, factor: 4 }]',
      /guest-burst\.length: expected less than every/,
    ],
    ['[{ kind: guest-burst, every: 1s, length: 9ms, factor: 0 }]', /factor: expected a number above 0/],
    [
      '[{ kind: guest-burst, every: 1s, length: 1ms, factor: 2 }, { kind: guest-burst, every: 1s, length: 1ms, factor: 3 }]',
      /guest-burst: expected one, as the guest has one program, found 2/,
    ],
  ])('%s is refused', (background, message) => {
    expect(problems(background)).toMatch(message);
  });

  test('cross-traffic needs a capacity of which to take its part', () => {
    expect(problems('[{ kind: cross-traffic, rate: 1Mbit/s }]', '')).toMatch(
      /link\.capacity: expected a rate, of which cross-traffic takes its part, found nothing/,
    );
  });
});
