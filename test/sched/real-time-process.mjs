import { readFileSync } from 'node:fs';
import { threadCpuNs } from '../../build/src/platform/thread-clock.js';

/**
 * Works for `workNs` of CPU time from the instant `atNs` on, and tells when it ran, in pairs of instants: if a look at the clock
 * comes long after the one before, somebody else had the processor. Also tells whether it gave the processor up of its own
 * accord: then it waited for another thread of its process, in V8, and the slices say nothing. A process of its own, since
 * that happens more often beside threads of one's own.
 */
const AWAY_NS = 500_000;
const never = new Int32Array(new SharedArrayBuffer(4));
const nowNs = () => {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e9 + nanos;
};

function work(forNs) {
  const slices = [];
  let beganNs = nowNs();
  let seenNs = beganNs;
  for (const untilNs = threadCpuNs() + forNs; threadCpuNs() < untilNs; ) {
    spin();
    const now = nowNs();
    if (now - seenNs > AWAY_NS) {
      slices.push([beganNs, seenNs]);
      beganNs = now;
    }
    seenNs = now;
  }
  return [...slices, [beganNs, nowNs()]];
}

/** Some 10 µs. Each look at a clock leaves garbage, which other threads help to collect. */
function spin() {
  for (let i = 0, count = 0; i < 10_000; i++) count = (Math.imul(count, 1_664_525) + 1) | 0;
}

/** proc(5) */
function timesAsleep() {
  return Number(
    /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))[1],
  );
}

// Compiled before it counts.
work(50e6);
process.once('message', ({ workNs, atNs }) => {
  Atomics.wait(never, 0, 0, (atNs - nowNs()) / 1e6);
  const before = timesAsleep();
  const slices = work(workNs);
  process.send({ slices, hasSlept: timesAsleep() > before }, () => process.exit());
});
process.send('ready');
