import { afterEach, describe, expect, test, vi } from 'vitest';
import { clockNs } from '../../src/platform/clock.ts';
import { afterNs, sleepNs } from '../../src/platform/timer.ts';
import { Interruption } from '../../src/transport/interruption.ts';
import { Watchdog } from '../../src/transport/watchdog.ts';
import { smallSetup } from '../fixtures/setup.ts';

const HOUR_MS = 3_600_000;
const DAYS_30_NS = 30 * 24 * HOUR_MS * 1e6;

afterEach(() => vi.useRealTimers());

describe('a time that is longer than a timer of Node can count to', () => {
  test('passes before something is done after it', async () => {
    vi.useFakeTimers();
    let done = 0;
    afterNs(DAYS_30_NS, () => (done += 1));
    await vi.advanceTimersByTimeAsync(719 * HOUR_MS);
    expect(done).toBe(0);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(done).toBe(1);
  });

  test('can be taken back in its second half', async () => {
    vi.useFakeTimers();
    let done = 0;
    const takeBack = afterNs(DAYS_30_NS, () => (done += 1));
    await vi.advanceTimersByTimeAsync(700 * HOUR_MS);
    takeBack();
    await vi.advanceTimersByTimeAsync(100 * HOUR_MS);
    expect(done).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('may be the longest that a guest may stand: its migration is not interrupted after a millisecond', async () => {
    const { plan } = smallSetup({ plan: { stopTimeoutNs: DAYS_30_NS } });
    const interruption = new Interruption();
    const watchdog = new Watchdog(plan, interruption);
    watchdog.arm(clockNs());
    await sleepNs(20e6);
    watchdog.disarm();
    expect(interruption.cause).toBeUndefined();
  });
});

test('a wait ends when its signal comes', async () => {
  const over = new AbortController();
  const waiting = sleepNs(DAYS_30_NS, { signal: over.signal });
  over.abort();
  await expect(waiting).rejects.toThrow('abort');
});
