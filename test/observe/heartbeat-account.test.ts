import { expect, test } from 'vitest';
import { HeartbeatAccount } from '../../src/observe/viewer/heartbeat-account.ts';

const beats = (...instants: readonly number[]) => {
  const account = new HeartbeatAccount(10);
  for (const [index, atNs] of instants.entries())
    account.arrived({ token: 1, number: index + 1, latenessNs: 0 }, atNs);
  return account;
};

test('a guest that has fallen silent, and has not ended, is in a gap', () => {
  expect(beats(10, 20, 35).outage(null, 1_035)).toMatchObject({ longestGapNs: 1_000, lostHeartbeats: 0 });
  expect(beats(10, 20, 35).outage(null, 40)!.longestGapNs).toBe(15);
});

test('one that has ended is not, and what it sent last and did not arrive is lost', () => {
  expect(beats(10, 20, 35).outage(4, 1_035)).toMatchObject({ longestGapNs: 15, lostHeartbeats: 1 });
});

test('nothing can be said of a guest that was never heard', () => {
  expect(beats().outage(null, 100)).toBeNull();
});
