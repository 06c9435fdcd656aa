import { describe, expect, test } from 'vitest';
import { proxmoxDoubling } from '../../../../src/core/migration/stop/proxmox-doubling.ts';
import type { StopRule } from '../../../../src/core/migration/stop/stop-rule.ts';
import { allows, decided, GiB, MiB, MS, progress, run, SECOND, saturating } from './progress.ts';

/** Asks once a second, from `fromSecond` on, with these amounts pending, far more than any limit allows. */
function poll(rule: StopRule, pendingGiB: readonly number[], fromSecond = 1): void {
  for (const [index, gib] of pendingGiB.entries()) {
    const second = fromSecond + index;
    const at = { elapsedNs: second * SECOND, pendingBytes: gib * GiB, sentBytes: second * MiB };
    expect(rule(progress(at))).toBeUndefined();
  }
}

/** Within a second of the last poll, so that asking is not polling. */
function limitIs(rule: StopRule, limitMs: number, second: number): void {
  const at = { elapsedNs: (second + 0.5) * SECOND, sentBytes: second * MiB };
  expect([allows(rule, (limitMs - 1) * MS, at), allows(rule, (limitMs + 1) * MS, at)]).toEqual([true, false]);
}

describe('the limit of 100 ms', () => {
  test('is doubled by the sixth poll without progress, not by the fifth', () => {
    const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
    poll(rule, [1, 2, 3, 4, 5, 6]);
    limitIs(rule, 100, 6);
    poll(rule, [7], 7);
    limitIs(rule, 200, 7);
  });

  test('is doubled again by the next six', () => {
    const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
    poll(rule, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    limitIs(rule, 200, 12);
    poll(rule, [13], 13);
    limitIs(rule, 400, 13);
  });

  test('is doubled though progress came in between, which does not reset the count', () => {
    const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
    poll(rule, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]);
    limitIs(rule, 100, 11);
    poll(rule, [2], 12);
    limitIs(rule, 200, 12);
  });

  test('stays while no poll finds more pending than the one before', () => {
    const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
    poll(rule, [20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, ...Array(10).fill(10)]);
    limitIs(rule, 100, 21);
  });

  test('stays while nothing is sent: that is a link that stands, not a guest that is too fast', () => {
    const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
    for (let second = 1; second <= 20; second += 1) {
      const at = { elapsedNs: second * SECOND, pendingBytes: second * GiB, sentBytes: MiB };
      expect(rule(progress(at))).toBeUndefined();
    }
    limitIs(rule, 100, 20);
  });

  test('is doubled by the sixth poll that finds nothing pending, while the devices keep it from the stop', () => {
    const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
    const at = (ms: number) =>
      progress({ elapsedNs: ms * MS, pendingBytes: 0, sentBytes: GiB, deviceBytes: 15 * MiB });
    for (const ms of [1000, 2000, 2100, 2200, 2300]) expect(rule(at(ms))).toBeUndefined();
    expect(rule(at(2400))?.decision).toBe('stop');
  });
});

test('between two polls a guest may do what it likes', () => {
  const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
  for (let ask = 0; ask < 100; ask += 1) {
    const at = { elapsedNs: SECOND + ask * MS, pendingBytes: (ask + 1) * GiB, sentBytes: ask * MiB };
    expect(rule(progress(at))).toBeUndefined();
  }
  limitIs(rule, 100, 1);
});

test('once less is pending than was sent per poll, ten polls come where one did', () => {
  const rule = decided(proxmoxDoubling.rule(proxmoxDoubling.defaults));
  const ask = (second: number, pendingMiB: number) =>
    rule(
      progress({ elapsedNs: second * SECOND, pendingBytes: pendingMiB * MiB, sentBytes: second * 100 * MiB }),
    );
  ask(1, 900);
  ask(2, 40);
  for (let tenth = 1; tenth <= 6; tenth += 1) expect(ask(2 + tenth / 10, 40 + tenth)).toBeUndefined();
  const at = { elapsedNs: 2.65 * SECOND, sentBytes: 260 * MiB };
  expect([allows(rule, 199 * MS, at), allows(rule, 201 * MS, at)]).toEqual([true, false]);
});

/** 0.1 · 2⁵ s is the first limit above 2 s; it overshoots, and the stop comes in the middle of a round. */
test('rounds that leave 2 s behind are broken off once the limit has been doubled five times', () => {
  const stubborn = {
    guestBytes: GiB,
    bandwidthBytesPerSecond: 100 * MiB,
    dirtiedBytes: saturating(1000 * MiB, 200 * MiB),
  };
  const end = run(decided(proxmoxDoubling.rule(proxmoxDoubling.defaults)), stubborn);
  expect(end?.verdict).toEqual({ decision: 'stop', reason: '2.95 s left, limit 3.2 s' });
});
