import { workerData } from 'node:worker_threads';
import { clockNs } from '../../platform/clock.ts';

/**
 * Makes garbage at a rate. Some of it lives for a while, so that the collector has to move it; what it does in helper
 * threads of the process is outside every reservation.
 */
const SLEEP_MS = 1;
const OBJECT_BYTES = 80;
const KEPT = 200_000;

const { bytesPerSecond } = workerData as { readonly bytesPerSecond: number };
const alarm = new Int32Array(new SharedArrayBuffer(4));
const kept: object[] = [];
const startedAtNs = clockNs();
for (let made = 0; ; ) {
  const due = ((clockNs() - startedAtNs) * bytesPerSecond) / 1e9 / OBJECT_BYTES;
  for (; made < due; made++) kept[made % KEPT] = { made, a: made, b: made, c: made, d: made };
  Atomics.wait(alarm, 0, 0, SLEEP_MS);
}
