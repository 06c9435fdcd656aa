import { describe, expect, test } from 'vitest';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import type { MigrationSpec } from '../../../src/workload/migration-spec.ts';
import { always, roundMachine } from '../../fixtures/machine.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const MEBIBYTES = (800 * 4096) / 2 ** 20;
const huge = {
  pages: 2 ** 18,
  program: { kind: 'classes', classes: [{ pages: 500, writesPerSecond: 9 }] },
} as const;

function specOf(change: Parameters<typeof smallSetup>[0] = {}, machine = roundMachine()): MigrationSpec {
  return { ...smallSetup(change), machine };
}

/** The parts that do not depend on how many pages are left. */
function handoverOf(spec: MigrationSpec) {
  const { stateNs, verifyNs, commitNs, resumeNs } = migrateVirtually(spec).downtimeParts;
  return { stateNs, verifyNs, commitNs, resumeNs };
}

describe('the downtime in virtual time', () => {
  test('has the parts that the machine’s profile says', () => {
    const verifyNs = Math.round(5e6 * MEBIBYTES);
    expect(handoverOf(specOf())).toEqual({ stateNs: 2e6, verifyNs, commitNs: 3e6, resumeNs: 4e6 });
  });

  test('has the same where a guest is known in counts', () => {
    const spec = specOf({ guest: huge, plan: { pages: huge.pages, verify: 'checksums' } });
    expect(handoverOf(spec)).toEqual({ stateNs: 2e6, verifyNs: 0, commitNs: 3e6, resumeNs: 4e6 });
  });

  test('has no such parts without a profile', () => {
    const { machine: _, ...spec } = specOf();
    expect(handoverOf(spec)).toEqual({ stateNs: 0, verifyNs: 0, commitNs: 0, resumeNs: 0 });
  });

  test('begins with a scan of all memory where nobody keeps a dirty log, and the memory part with the pause', () => {
    const scanning = roundMachine({ dirtyScanNsPerMebibyte: always(1e6) });
    const { dirtyScanNs, memoryNs } = migrateVirtually(specOf({}, scanning)).downtimeParts;
    expect(dirtyScanNs).toBe(Math.round(1e6 * MEBIBYTES));
    // What is saved in the bucket during the rounds and the pause leaves at once.
    expect(memoryNs).toBeGreaterThan(1e6);
  });

  test('is drawn from the seed', () => {
    const varied = roundMachine({ stateNs: { median: 2e6, p95: 6e6, samples: 9 } });
    const of = (seed: number) => {
      const { guest, ...spec } = specOf({}, varied);
      return handoverOf({ ...spec, guest: { ...guest, seed } }).stateNs;
    };
    expect(of(1)).toBe(of(1));
    expect(new Set([1, 2, 3, 4].map(of)).size).toBe(4);
  });
});

describe('a sender that takes turns with two hogs', () => {
  const cpu = { scheduler: 'fair', hogs: 2, cpuPerPageNs: 50_000, cpuPerHandoverNs: 1e6 } as const;

  test('waits for its turn again for each message of the hand-over', () => {
    const { stateNs, commitNs } = handoverOf(specOf({ cpu }));
    // Two turns of 4 ms each, of two hogs, less what of a turn is over when it is woken.
    expect(stateNs).toBeGreaterThan(2e6 + 2 * 4e6);
    expect(commitNs).toBeGreaterThan(3e6 + 4e6);
  });

  test('uses cpuPerHandover before the commit, its messages included', () => {
    const alone = { ...cpu, hogs: 0 };
    const { commitNs } = handoverOf(specOf({ cpu: alone }));
    // 1 ms less two messages, then what of the commit is not its last message.
    expect(commitNs).toBe(20_000 + 800_000 + 2_900_000);
  });
});
