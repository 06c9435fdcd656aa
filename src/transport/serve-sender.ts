import type { LinkRecord } from '../core/migration/migration-result.ts';
import type { Bytes, Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { reasonOf } from '../platform/failure.ts';
import { goFirstWithMainThread } from '../platform/thread-scheduling.ts';
import { serve } from '../platform/worker-thread.ts';
import {
  openScheduledThread,
  type ScheduledThread,
  type ScheduledThreadData,
} from '../sched/scheduled-thread.ts';
import type { Sender } from './sender.ts';

/** What every sender's thread is told. One that can read its guest's memory is told more, by kind of guest. */
export interface SenderWorkerData {
  readonly pages: number;
  readonly pageSizeBytes: Bytes;
  readonly depthBytes: Bytes;
  readonly cpuPerPageNs: Nanos;
  readonly cpuPerHandoverNs: Nanos;
  readonly thread: ScheduledThreadData;
  /** The buffer of an `Allowance`. */
  readonly allowance: SharedArrayBuffer;
  /** Where to ask about bytes that have not left: see `UnsentBytes`. */
  readonly unsent: { readonly memory: SharedArrayBuffer; readonly slot: number };
}

/** How a request to the sender ended, when that was known, on the host's clock, and what the link has carried so far. */
export type SenderAnswer = { readonly atNs: Nanos; readonly link: LinkRecord } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly why: string }
);

export interface SenderMethods {
  carryOut(method: string, args: readonly unknown[]): Promise<SenderAnswer>;
}

/** Answered while another request is being carried out. */
const overtaking: ReadonlySet<string> = new Set<keyof Sender>(['abort', 'levelBytes']);

/** Makes the calling thread a sender's: where nothing is reserved for it, it goes first if its process's main thread does. */
export function openSenderThread({ thread }: Pick<SenderWorkerData, 'thread'>): ScheduledThread {
  const opened = openScheduledThread(thread);
  if (thread.backend === 'free') goFirstWithMainThread();
  return opened;
}

/** Has this thread call the sender's methods, and use its processor only meanwhile. */
export function serveSender(sender: Sender, thread: ScheduledThread): void {
  const byName = sender as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  const methods: SenderMethods = {
    async carryOut(method, args) {
      let outcome: { ok: true; result: unknown } | { ok: false; why: string };
      const overtakes = overtaking.has(method);
      if (!overtakes) thread.unblock();
      try {
        outcome = { ok: true, result: await byName[method]!(...args) };
      } catch (cause) {
        outcome = { ok: false, why: reasonOf(cause) };
      }
      if (!overtakes) thread.block();
      return { ...outcome, atNs: clockNs(), link: sender.link };
    },
  };
  serve(methods);
}
