import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { goFirst } from '../../build/src/platform/thread-scheduling.js';

/** A thread that goes first; answers with what the kernel says of its scheduling (proc_sched_show_task). */
goFirst(workerData);
parentPort.postMessage(readFileSync('/proc/thread-self/sched', 'utf8'));
