import { workerData } from 'node:worker_threads';
import { openTurn, type TurnData } from './scheduled-thread.ts';

/** A program that always wants to run: counts, some ten microseconds at a time. */
const CHUNK = 10_000;

const turn = openTurn(workerData as TurnData);
turn.wakes();
for (let count = 0; ; turn.pass()) {
  for (let i = 0; i < CHUNK; i++) count = (Math.imul(count, 1_664_525) + 1_013_904_223) | 0;
}
