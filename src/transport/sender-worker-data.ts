import type { Bytes, Nanos } from '../core/units.ts';
import type { ScheduledThreadData } from '../sched/scheduled-thread.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';

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
}

/** The part of it that a migration says. @param thread by which the sender is scheduled */
export function senderDataOf(
  { guest, plan, cpu }: Pick<MigrationSpec, 'guest' | 'plan' | 'cpu'>,
  thread: ScheduledThreadData,
): Omit<SenderWorkerData, 'allowance'> {
  const { pages, pageSizeBytes } = guest;
  const { cpuPerPageNs, cpuPerHandoverNs } = cpu;
  return { pages, pageSizeBytes, depthBytes: plan.depthBytes, cpuPerPageNs, cpuPerHandoverNs, thread };
}
