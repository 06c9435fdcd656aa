import { getEnvironmentData, setEnvironmentData, Worker } from 'node:worker_threads';
import { entry } from '../../platform/entry.ts';
import { hasKoffi } from '../../platform/koffi.ts';
import { raise } from '../../platform/thread-scheduling.ts';
import { unsentMemory } from './unsent-bytes.ts';

const KEY = 'switchover: unsent bytes';

/**
 * The memory in which questions about unsent bytes are asked, for this thread and all that it starts from now on. The thread
 * that answers them is started at the first call and lives as long as the process: one that came and went would each time
 * leave behind what koffi keeps for a thread.
 */
export function unsentQuestions(): SharedArrayBuffer {
  const known = getEnvironmentData(KEY) as SharedArrayBuffer | undefined;
  if (known) return known;
  const memory = unsentMemory();
  const worker = new Worker(entry('transport/unsent/unsent-worker'), { workerData: memory });
  // A sender waits for each answer, which takes microseconds.
  worker.once('message', (thread) => void raise(thread, true));
  worker.unref();
  setEnvironmentData(KEY, memory);
  return memory;
}

/** What a reader of a record must know where the kernel cannot be asked. */
export function unsentNotes(): readonly string[] {
  if (hasKoffi()) return [];
  return ['bytes that wait in the kernel for a slow receiver count as sent: to ask the kernel needs koffi'];
}
