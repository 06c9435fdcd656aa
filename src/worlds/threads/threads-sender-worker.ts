import { workerData } from 'node:worker_threads';
import type { Nanos } from '../../core/units.ts';
import { openScheduledThread, type ScheduledThreadData } from '../../sched/scheduled-thread.ts';
import { Allowance } from '../../transport/allowance.ts';
import { Sender } from '../../transport/sender.ts';
import { serveSender } from '../../transport/sender-requests.ts';
import { noisyThread } from '../../workload/antagonists/noisy-thread.ts';
import { DirtyLog } from './dirty-log.ts';

/** The sender's thread: over memory in which its guest marks what it has written. */
export interface SenderWorkerData {
  readonly pages: number;
  readonly pageSizeBytes: number;
  readonly memory: SharedArrayBuffer;
  readonly dirty: SharedArrayBuffer;
  readonly depthBytes: number;
  readonly allowance: SharedArrayBuffer;
  readonly cpuPerPageNs: Nanos;
  readonly cpuPerHandoverNs: Nanos;
  readonly thread: ScheduledThreadData;
  /** A mean of 0: none. */
  readonly timerNoise: { readonly meanNs: Nanos; readonly seed: number };
}

const data = workerData as SenderWorkerData;
const log = new DirtyLog(data.pages, data.dirty);
const { meanNs, seed } = data.timerNoise;
const quietTurn = openScheduledThread(data.thread);
const thread = meanNs > 0 ? noisyThread(quietTurn, meanNs, seed) : quietTurn;
const sender = new Sender(
  {
    memory: new Uint8Array(data.memory),
    pages: data.pages,
    pageSizeBytes: data.pageSizeBytes,
    clear: (page) => log.clear(page),
  },
  data.depthBytes,
  { thread, cpuPerPageNs: data.cpuPerPageNs, cpuPerHandoverNs: data.cpuPerHandoverNs },
  new Allowance(data.allowance),
);
serveSender(sender, thread);
