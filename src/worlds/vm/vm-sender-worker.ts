import { workerData } from 'node:worker_threads';
import { PageSet } from '../../core/migration/pages.ts';
import type { Nanos } from '../../core/units.ts';
import { openScheduledThread, type ScheduledThreadData } from '../../sched/scheduled-thread.ts';
import { Allowance } from '../../transport/allowance.ts';
import { Sender } from '../../transport/sender.ts';
import { type SenderRequests, type SenderResults, serveSender } from '../../transport/sender-requests.ts';
import { ComparedMemory } from './compared-memory.ts';
import { type MappedPlace, viewOf } from './mapped-file.ts';

/** The sender's thread: over the memory of a machine that marks nothing. */
export interface VmSenderData {
  readonly ram: MappedPlace;
  readonly pagesAtByte: number;
  readonly pages: number;
  readonly pageSizeBytes: number;
  readonly depthBytes: number;
  readonly deltas: boolean;
  readonly allowance: SharedArrayBuffer;
  readonly cpuPerPageNs: Nanos;
  readonly cpuPerHandoverNs: Nanos;
  readonly thread: ScheduledThreadData;
}

/** What is asked of it besides. */
interface MachineRequests {
  /** Which pages are dirty? `take`: and takes off their marks. */
  look: { take: boolean };
  clear: { words: Uint32Array };
  state: { bytes: Uint8Array };
}

export type VmSenderRequests = SenderRequests & MachineRequests;
export type VmSenderResults = SenderResults & { look: Uint32Array; clear: undefined; state: undefined };

const data = workerData as VmSenderData;
const thread = openScheduledThread(data.thread);
const memory = new ComparedMemory(pagesOf(data), data.pageSizeBytes, data.deltas);
const { cpuPerPageNs, cpuPerHandoverNs } = data;
const cpu = { thread, cpuPerPageNs, cpuPerHandoverNs };
const sender = new Sender(memory, data.depthBytes, cpu, new Allowance(data.allowance));

serveSender<MachineRequests>(sender, thread, {
  look: ({ take }) => memory.scan(take).words,
  clear: ({ words }) => new PageSet(memory.pages, words).each((page) => memory.clear(page)),
  state: ({ bytes }) => sender.sendState(Buffer.from(bytes)),
});

function pagesOf({ ram, pagesAtByte, pages, pageSizeBytes }: VmSenderData): Buffer {
  return viewOf(ram).subarray(pagesAtByte, pagesAtByte + pages * pageSizeBytes);
}
