import { setTimeout as sleep } from 'node:timers/promises';
import { differentPages } from '../../core/recording/different-pages.ts';
import type { Nanos } from '../../core/units.ts';
import { type Imported, importTexts } from '../../observe/import/formats.ts';
import type { Dirtied } from '../../observe/import/observation.ts';
import type { RecordingSummary } from '../../observe/recorder.ts';
import { recordRehearsal } from '../../observe/rehearsed-recording.ts';
import { Failure } from '../../platform/failure.ts';
import { connectMonitor } from '../../qemu/connect-monitor.ts';
import type { Qmp } from '../../qemu/qmp.ts';
import { QEMU_WINDOW_NS } from '../../qemu/stream-layout.ts';

/** QEMU counts in whole seconds up to 8.1. The longest is as long as a round that still matters. */
const WINDOWS_SECONDS = [1, 2, 5];
/** As many as QEMU takes of each GiB (migration/dirtyrate.h, MAX_SAMPLE_PAGE_COUNT): the finer the rate. */
const SAMPLE_PAGES = 4096;
const ASK_EVERY_MS = 100;
/** Sampling takes its time before and after a window. */
const LATE_SECONDS = 30;

export interface MeasuredMachine extends Imported {
  readonly memoryBytes: number;
}

/** Windows of a rehearsal, each so many times as long as the one before, of which several fit into it. */
const WINDOW_RATIO = 1.5;
const WINDOWS_THAT_FIT = 2;

/**
 * What a VM that runs says of itself, by its monitor: its parameters, its memory, and how many different pages it dirties
 * within a few windows. It samples pages, which needs no KVM and disturbs nothing.
 * @param rehearseNs for so long it is rehearsed instead, which tells it page by page (docs/recording.md)
 * @throws Failure nobody listens there, or not a monitor that is free; the VM does not run, is migrating, or ends
 */
export async function measureMachine(socket: string, rehearseNs?: Nanos): Promise<MeasuredMachine> {
  const qmp = await connectMonitor(socket);
  try {
    const migration = await qmp.execute<{ status?: string } | null>('query-migrate');
    const memory = await qmp.execute<{ 'base-memory'?: number } | null>('query-memory-size-summary');
    const memoryBytes = memory?.['base-memory'];
    if (migration === null || memoryBytes === undefined)
      throw new Failure(`${socket}: it answers like no monitor of QEMU`);
    const { status } = migration;
    if (status === 'active' || status === 'setup')
      throw new Failure(`${socket}: it is migrating: give its log to --from`);
    const parameters = await qmp.execute('query-migrate-parameters');
    const capabilities = await qmp.execute('query-migrate-capabilities');
    const settings = { name: 'its parameters', text: linesOf([parameters, capabilities]) };
    if (rehearseNs !== undefined) {
      qmp.close();
      const recorded = await rehearsed(socket, rehearseNs);
      // Firmware is moved too, and its pages are among those that were counted.
      const allBytes = recorded.numbers.pages * recorded.pageSizeBytes;
      return { ...withRehearsal(importTexts([settings])!, recorded), memoryBytes: allBytes };
    }
    const measured: unknown[] = [];
    for (const seconds of WINDOWS_SECONDS) measured.push(await dirtyRate(qmp, seconds));
    const imported = importTexts([{ name: 'its dirty rates', text: linesOf(measured) }, settings])!;
    return { ...imported, memoryBytes };
  } finally {
    qmp.close();
  }
}

function rehearsed(socket: string, forNs: Nanos): Promise<RecordingSummary> {
  const { signal } = new AbortController();
  return recordRehearsal({ socket }, { forNs, intervalNs: QEMU_WINDOW_NS, signal });
}

/** With its D(e), page by page. */
function withRehearsal(imported: Imported, recorded: RecordingSummary): Imported {
  const { samples, numbers, intervalNs, zeroPages = null } = recorded;
  const lengthNs = samples.at(-1)!.atNs;
  const dirtied: Dirtied[] = [];
  for (let windowNs = intervalNs; windowNs <= lengthNs / WINDOWS_THAT_FIT; windowNs *= WINDOW_RATIO) {
    const pages = differentPages(samples, numbers.pages, windowNs, intervalNs / 2);
    if (pages === undefined) continue;
    dirtied.push({
      atNs: null,
      exposureNs: windowNs,
      pages: { low: pages, high: pages },
      throttlePercent: 0,
    });
  }
  const { observation } = imported;
  const parameters = { ...observation.parameters, zeroPages };
  return { ...imported, observation: { ...observation, dirtied, parameters } };
}

interface DirtyRate {
  readonly status: 'unstarted' | 'measuring' | 'measured';
}

async function dirtyRate(qmp: Qmp, seconds: number): Promise<DirtyRate> {
  await qmp.execute('calc-dirty-rate', { 'calc-time': seconds, 'sample-pages': SAMPLE_PAGES });
  for (let waitedMs = 0; waitedMs < 1000 * (seconds + LATE_SECONDS); waitedMs += ASK_EVERY_MS) {
    await sleep(ASK_EVERY_MS);
    const answer = await qmp.execute<DirtyRate>('query-dirty-rate');
    if (answer.status === 'measured') return answer;
  }
  throw new Failure(`QEMU has not measured a dirty rate over ${seconds} s: does the VM run?`);
}

/** As QMP writes them. */
function linesOf(answers: readonly unknown[]): string {
  return answers.map((answer) => JSON.stringify({ return: answer })).join('\n');
}
