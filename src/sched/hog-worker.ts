import { workerData } from 'node:worker_threads';
import { openScheduledThread, type ScheduledThreadData } from './scheduled-thread.ts';

/** A program that always wants to run: counts, some ten microseconds at a time. */
const CHUNK = 10_000;

const thread = openScheduledThread(workerData as ScheduledThreadData);
thread.unblock();
for (let count = 0; ; thread.checkpoint()) {
  for (let i = 0; i < CHUNK; i++) count = (Math.imul(count, 1_664_525) + 1_013_904_223) | 0;
}
