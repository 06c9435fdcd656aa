import { workerData } from 'node:worker_threads';
import { PageSet } from '../../core/migration/pages.ts';
import { inSegments } from '../../platform/segmented-memory.ts';
import { Allowance } from '../../transport/allowance.ts';
import { Sender } from '../../transport/sender.ts';
import { openSenderThread, type SenderWorkerData, serveSender } from '../../transport/serve-sender.ts';
import { UnsentBytes } from '../../transport/unsent/unsent-bytes.ts';
import { ComparedMemory } from './compared-memory.ts';
import { type MappedPlace, viewOf } from './mapped-file.ts';

/** The sender's thread: over the memory of a machine that marks nothing. */
export interface VmSenderMemory {
  readonly ram: MappedPlace;
  readonly pagesAtByte: number;
  readonly deltas: boolean;
}

const data = workerData as SenderWorkerData & VmSenderMemory;
const { ram, pagesAtByte, pages, pageSizeBytes, depthBytes, deltas, allowance } = data;
const thread = openSenderThread(data);
const live = viewOf(ram).subarray(pagesAtByte, pagesAtByte + pages * pageSizeBytes);
const memory = new ComparedMemory(inSegments(live, pageSizeBytes), deltas);

/** A sender that also finds out what is dirty. */
export class VmSender extends Sender {
  /** While the destination makes room, the first baseline copy is taken. */
  override async greet(...greeting: Parameters<Sender['greet']>): Promise<void> {
    await Promise.all([super.greet(...greeting), memory.begin()]);
  }

  /** The dirty pages; `take`: and takes off their marks. */
  scan(take: boolean): Uint32Array {
    return memory.scan(take).words;
  }

  clear(words: Uint32Array): void {
    new PageSet(pages, words).each((page) => memory.clear(page));
  }
}

const unsent = new UnsentBytes(data.unsent.memory, data.unsent.slot);
const cpu = { ...data, thread };
serveSender(new VmSender(memory, depthBytes, cpu, new Allowance(allowance), unsent), thread);
