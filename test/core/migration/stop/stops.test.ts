import { expect, test } from 'vitest';
import { checkStopRule } from '../../../../src/core/migration/stop/registered-stop.ts';
import { type StopSpec, stopRule, stopRuleRegistry } from '../../../../src/core/migration/stop/stops.ts';
import { stopDefaults, stopRuleNames } from '../../../fixtures/stop-defaults.ts';
import { afterRounds, decided, MiB, MS, SECOND } from './progress.ts';

test('every rule goes by its own name and has the defaults of its original', () => {
  expect(stopDefaults).toEqual({
    rounds: { rule: 'rounds', rounds: 1 },
    downtime: { rule: 'downtime', limitNs: 300 * MS },
    xen: { rule: 'xen', rounds: 5, pages: 50 },
    phaul: { rule: 'phaul', rounds: 8, pages: 64, growth: 0.1 },
    'cloud-hypervisor': {
      rule: 'cloud-hypervisor',
      limitNs: 300 * MS,
      timeoutNs: 3600 * SECOND,
      onTimeout: 'cancel',
    },
    'nova-steps': {
      rule: 'nova-steps',
      limitNs: 500 * MS,
      steps: 10,
      delayPerGiBNs: 75 * SECOND,
      abortPerGiBNs: 800 * SECOND,
    },
    'proxmox-doubling': {
      rule: 'proxmox-doubling',
      limitNs: 100 * MS,
      polls: 5,
      pollNs: SECOND,
      nearPollNs: 100 * MS,
    },
    'kubevirt-ramp': {
      rule: 'kubevirt-ramp',
      firstNs: 150 * MS,
      lastNs: 1050 * MS,
      steps: 7,
      afterRound: 3,
      everyNs: 10 * SECOND,
    },
    'kubevirt-stall': {
      rule: 'kubevirt-stall',
      firstNs: 300 * MS,
      limitNs: 900 * MS,
      hopeless: 1.5,
      margin: 0.04,
      patienceNs: 40 * SECOND,
      decay: 0.5,
      alpha: 0.4,
      pollNs: 400 * MS,
      switchoverNs: 60 * SECOND,
    },
  } satisfies Record<StopSpec['rule'], StopSpec>);
});

test('our own definitions are as those of users must be', () => {
  const wrong: string[] = [];
  for (const definition of stopRuleRegistry.all) {
    checkStopRule(definition, (holds, path) => {
      if (!holds) wrong.push(`${definition.name}: ${path}`);
    });
  }
  expect(wrong).toEqual([]);
});

test('each name gives its own rule: each has its own reason to stop at one and the same moment', () => {
  const moment = afterRounds([26_000, 20], { pendingBytes: 4 * MiB, elapsedNs: 90 * SECOND });
  const reasons = Object.fromEntries(
    stopRuleNames.map((name) => [name, decided(stopRule(stopDefaults[name]))(moment)?.reason]),
  );
  expect(reasons).toEqual({
    rounds: '2 of 1 rounds done',
    downtime: '40 ms left, limit 300 ms',
    xen: 'fewer than 50 pages were dirty',
    phaul: 'the round sent only 20 pages',
    'cloud-hypervisor': 'estimated downtime 40 ms, limit 300 ms',
    'nova-steps': '40 ms left, limit 50 ms',
    'proxmox-doubling': '40 ms left, limit 100 ms',
    'kubevirt-ramp': '40 ms left, limit 279 ms',
    'kubevirt-stall': '40 ms left, limit 300 ms',
  });
});

test('a rule is made anew for every migration: what one remembers another does not know', () => {
  const spec = stopDefaults['kubevirt-ramp'];
  const pendingBytes = 20 * MiB;
  const [first, second] = [decided(stopRule(spec)), decided(stopRule(spec))];
  expect(first(afterRounds([9, 9, 9], { pendingBytes, elapsedNs: 10 * SECOND }))?.decision).toBe('stop');
  expect(first(afterRounds([9], { pendingBytes, elapsedNs: 11 * SECOND }))?.decision).toBe('stop');
  expect(second(afterRounds([9], { pendingBytes, elapsedNs: 11 * SECOND }))).toBeUndefined();
});
