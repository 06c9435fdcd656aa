import { expect, test } from 'vitest';
import { BandwidthMeter } from '../../../src/core/migration/meter.ts';

const MS = 1e6;

test('the bandwidth is that of a window of at least 100 ms, and none is known before', () => {
  const meter = new BandwidthMeter(null);
  meter.sent(6_000, 60 * MS);
  expect(meter.bytesPerSecond).toBe(0);
  meter.sent(6_000, 60 * MS);
  expect(meter.bytesPerSecond).toBe(100_000);
});

test('what a full bucket lets through at once is no bandwidth: no more is seen than is reserved', () => {
  const meter = new BandwidthMeter(100_000);
  meter.sent(64_000, 100 * MS);
  expect(meter.bytesPerSecond).toBe(100_000);
  meter.sent(4_000, 100 * MS);
  expect(meter.bytesPerSecond).toBe(40_000);
});
