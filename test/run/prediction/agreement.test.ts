import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compared } from './agreement.ts';
import { onceDisagreed } from './once-disagreed.ts';
import { randomScenario } from './random-scenario.ts';

test('the model and virtual time agree on convergence in random scenarios', () => {
  for (const document of fc.sample(randomScenario(200), { numRuns: 5, seed: 1 })) {
    for (const { agrees, prediction, completedShare } of compared(document)) {
      const found = `${prediction.course.reason}; completed: ${completedShare}; ${JSON.stringify(document)}`;
      expect(agrees, found).toBe(true);
    }
  }
});

test.each(Object.entries(onceDisagreed))('they agree beside %s', (_, document) => {
  for (const { agrees, prediction, completedShare } of compared(document)) {
    expect(agrees, `${prediction.course.reason}; completed: ${completedShare}`).toBe(true);
  }
});

test('a stream whose dirty bits are cleared page by page stops for as long as virtual time says, within a tenth', () => {
  const guest = {
    pages: 4096,
    program: { kind: 'stream', cpuPerFrame: '9ms', pagesPerFrame: 200, buffers: 1200 },
  };
  const [{ prediction, medianDowntimeNs } = { prediction: undefined, medianDowntimeNs: 0 }] = compared({
    guest,
    link: { rate: '1Gbit/s' },
    sender: { cpuPerPage: '50us', cpuPerHandover: '3ms', reservation: { budget: '2.5ms', period: '10ms' } },
    migration: { order: 'random', stop: { rule: 'rounds', rounds: 2 } },
  });
  const ratio = prediction!.course.downtimeNs! / medianDowntimeNs;
  expect(ratio).toBeGreaterThan(0.9);
  expect(ratio).toBeLessThan(1.1);
});

test('of the pages that a stop in round 1 leaves, those of zeros are headers, as in virtual time', () => {
  const guest = {
    pages: 65536,
    zeroPages: 60000,
    program: { kind: 'saturating', pages: 2000, writesPerSecond: 2000 },
  };
  const stop = { rule: 'downtime', limit: '5s' };
  const [one] = compared({ guest, link: { rate: '200Mbit/s' }, migration: { order: 'address', stop } });
  const { prediction, medianDowntimeNs } = one!;
  expect(prediction.course.rounds).toBe(1);
  expect(prediction.course.downtimeNs! / medianDowntimeNs).toBeCloseTo(1, 1);
});

/** Devices that take 350 ms at the rate of the link, more than any of these rules stops for at first. */
const withDevices = (stop: Readonly<Record<string, unknown>>) => {
  const program = { kind: 'classes', classes: [{ pages: 100, writesPerSecond: 0.01 }] };
  return {
    guest: { pages: 2048, program, device: { state: '3500kB', time: '1ms' } },
    link: { rate: '10MB/s', stopRate: '10MB/s' },
    migration: { stop, timeout: '60s' },
  };
};

test.each([
  { rule: 'nova-steps', limit: '1s', steps: 4, delayPerGiB: '2s', abortPerGiB: '60s' },
  { rule: 'kubevirt-ramp', first: '200ms', last: '1s', steps: 4, every: '5s' },
])('devices that have too much for $rule wait until it has raised its limit', (stop) => {
  const [one] = compared(withDevices(stop));
  const { prediction, completedShare, medianTotalNs } = one!;
  expect([prediction.course.converges, completedShare]).toEqual([true, 1]);
  const ratio = prediction.course.totalNs! / medianTotalNs;
  expect(ratio).toBeGreaterThan(0.9);
  expect(ratio).toBeLessThan(1.1);
});

test('so they do for proxmox-doubling; how long depends on what its polls happen to find dirty', () => {
  const [one] = compared(withDevices({ rule: 'proxmox-doubling', limit: '100ms' }));
  expect([one!.prediction.course.converges, one!.completedShare]).toEqual([true, 1]);
});

test('they do not wait for a limit that never rises', () => {
  const [one] = compared(withDevices({ rule: 'downtime', limit: '300ms' }));
  expect([one!.prediction.course.converges, one!.completedShare]).toEqual([false, 0]);
});
