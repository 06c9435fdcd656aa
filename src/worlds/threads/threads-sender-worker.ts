import { workerData } from 'node:worker_threads';
import type { Nanos } from '../../core/units.ts';
import { overShared } from '../../platform/shared-memory.ts';
import { Allowance } from '../../transport/allowance.ts';
import { Sender } from '../../transport/sender.ts';
import { openSenderThread, type SenderWorkerData, serveSender } from '../../transport/serve-sender.ts';
import { UnsentBytes } from '../../transport/unsent/unsent-bytes.ts';
import { noisyThread } from '../../workload/antagonists/noisy-thread.ts';
import { DirtyLog } from './dirty-log.ts';

/** The sender's thread: over memory in which its guest marks what it has written. */
export interface ThreadsSenderMemory {
  /** Its segments. */
  readonly memory: readonly SharedArrayBuffer[];
  /** The words of a `DirtyLog`. */
  readonly dirty: SharedArrayBuffer;
  /** A mean of 0: none. */
  readonly timerNoise: { readonly meanNs: Nanos; readonly seed: number };
}

const data = workerData as SenderWorkerData & ThreadsSenderMemory;
const { pages, depthBytes, allowance, timerNoise } = data;
const log = new DirtyLog(pages, data.dirty);
const undisturbed = openSenderThread(data);
const thread =
  timerNoise.meanNs > 0 ? noisyThread(undisturbed, timerNoise.meanNs, timerNoise.seed) : undisturbed;
const memory = overShared(data.memory, data);
const clear = (page: number) => log.clear(page);
const unsent = new UnsentBytes(data.unsent.memory, data.unsent.slot);
const sender = new Sender(
  { memory, clear },
  depthBytes,
  { ...data, thread },
  new Allowance(allowance),
  unsent,
);

serveSender(sender, thread);
