import { firstPages } from '../core/migration/pages.ts';
import { clockNs, timestamp } from '../platform/clock.ts';
import { printable } from '../platform/failure.ts';
import type { Borrowing } from '../qemu/borrowed-settings.ts';
import { connectMonitor } from '../qemu/connect-monitor.ts';
import { Rehearsal } from '../qemu/rehearsal.ts';
import { QEMU_PAGE_BYTES } from '../qemu/stream-layout.ts';
import { type RecordingSummary, type RecordOptions, SampleList } from './recorder.ts';

/** QEMU's dirty log, read by a migration to nowhere. */
const METHOD = 'rehearsed-migration';
const LOWER_BOUND = 'a page that was written several times within an interval counts once';

/**
 * Records which pages of somebody's virtual machine are written: QEMU says it in a migration that is never completed.
 * @param borrowing a monitor of QEMU that nobody else uses
 * @throws Failure it cannot be asked, is older than 8.2, migrates already, or ends; nothing is kept then
 */
export async function recordRehearsal(
  borrowing: Borrowing,
  { forNs, intervalNs, signal, sampled }: RecordOptions,
): Promise<RecordingSummary> {
  const { socket } = borrowing;
  const qmp = await connectMonitor(socket);
  try {
    const source = await nameOf(socket, qmp);
    const rehearsal = await Rehearsal.begin(qmp, borrowing, signal);
    try {
      const startedAt = timestamp();
      const [startNs, cpuBefore, usedBefore] = [clockNs(), process.cpuUsage(), rehearsal.threads.usedNs()];
      const samples = new SampleList();
      const scansNs: number[] = [];
      let [beganAtNs, missedSamples] = [0, 0];
      for await (const { fromNs, untilNs, pages, sentInNs } of rehearsal.rounds(intervalNs, signal)) {
        if (samples.list.length === 0) beganAtNs = fromNs;
        const sample = { atNs: untilNs - beganAtNs, changed: pages };
        samples.add(sample);
        scansNs.push(sentInNs);
        missedSamples += Math.max(0, Math.round((untilNs - fromNs) / intervalNs) - 1);
        sampled?.({ ...sample, scanNs: sentInNs, seenPages: rehearsal.memoryPages, missedSamples });
        if (samples.isFull || signal.aborted || sample.atNs > forNs - intervalNs / 2) break;
      }
      const tookNs = clockNs() - startNs;
      const { user, system } = process.cpuUsage(cpuBefore);
      const used = rehearsal.threads.usedNs();
      return {
        source,
        method: METHOD,
        lowerBound: LOWER_BOUND,
        pageSizeBytes: QEMU_PAGE_BYTES,
        startedAt,
        intervalNs,
        samples: samples.list,
        numbers: { pages: rehearsal.memoryPages, numberAt: firstPages(rehearsal.memoryPages) },
        missedSamples,
        scansNs,
        cpuShare: ((user + system) * 1e3) / tookNs,
        ...(used !== undefined && { machineCpuShare: (used - (usedBefore ?? 0)) / tookNs }),
        zeroPages: rehearsal.zeroPages,
        ...{ appearedPages: 0, vanishedPages: 0, failedReads: 0 },
        leftOut: samples.leftOut,
      };
    } finally {
      await rehearsal.end();
    }
  } finally {
    qmp.close();
  }
}

async function nameOf(socket: string, qmp: Awaited<ReturnType<typeof connectMonitor>>): Promise<string> {
  const { name } = await qmp.execute<{ readonly name?: string }>('query-name');
  return name === undefined ? `the VM at ${socket}` : `${printable(name)} (the VM at ${socket})`;
}
