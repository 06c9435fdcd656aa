import { workerData } from 'node:worker_threads';
import { PageSet } from '../../core/migration/pages.ts';
import { openScheduledThread } from '../../sched/scheduled-thread.ts';
import { Allowance } from '../../transport/allowance.ts';
import { Sender } from '../../transport/sender.ts';
import {
  type SenderRequests,
  type SenderResults,
  senderHandlers,
  serveSender,
} from '../../transport/sender-requests.ts';
import type { SenderWorkerData } from '../../transport/sender-worker-data.ts';
import { ComparedMemory } from './compared-memory.ts';
import { type MappedPlace, viewOf } from './mapped-file.ts';

/** The sender's thread: over the memory of a machine that marks nothing. */
export interface VmSenderData extends SenderWorkerData {
  readonly ram: MappedPlace;
  readonly pagesAtByte: number;
  readonly deltas: boolean;
}

export interface VmSenderRequests extends SenderRequests {
  /** Which pages are dirty? `take`: and takes off their marks. */
  scan: { take: boolean };
  clear: { words: Uint32Array };
}

export interface VmSenderResults extends SenderResults {
  scan: Uint32Array;
  clear: undefined;
}

const data = workerData as VmSenderData;
const { ram, pagesAtByte, pages, pageSizeBytes, depthBytes, deltas, allowance } = data;
const thread = openScheduledThread(data.thread);
const live = viewOf(ram).subarray(pagesAtByte, pagesAtByte + pages * pageSizeBytes);
const memory = new ComparedMemory(live, pageSizeBytes, deltas);
const sender = new Sender(memory, depthBytes, { ...data, thread }, new Allowance(allowance));

serveSender<VmSenderRequests>(
  {
    ...senderHandlers(sender),
    scan: ({ take }) => memory.scan(take).words,
    clear: ({ words }) => new PageSet(pages, words).each((page) => memory.clear(page)),
  },
  thread,
  () => sender.link,
);
