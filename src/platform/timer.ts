import { setTimeout as sleep } from 'node:timers/promises';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';

/** The longest delay of a timer, 24.8 days: Node sets a longer one to 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits for a time of any length; one that is over already takes a turn. @throws AbortError the signal came first */
export async function sleepNs(ns: Nanos, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
  let restMs = ns / NANOS_PER_MILLISECOND;
  for (; restMs > LONGEST_TIMER_MS; restMs -= LONGEST_TIMER_MS) {
    await sleep(LONGEST_TIMER_MS, undefined, options);
  }
  await sleep(Math.max(0, restMs), undefined, options);
}

/** Does something after a time of any length. @returns takes that back */
export function afterNs(ns: Nanos, action: () => void): () => void {
  let restMs = ns / NANOS_PER_MILLISECOND;
  let timer: NodeJS.Timeout;
  const wait = () => {
    // What is over already has no delay; Node 24 warns of a negative one.
    const delayMs = Math.max(0, Math.min(restMs, LONGEST_TIMER_MS));
    restMs -= delayMs;
    timer = setTimeout(restMs > 0 ? wait : action, delayMs);
  };
  wait();
  return () => clearTimeout(timer);
}
