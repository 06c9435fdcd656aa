import { setImmediate } from 'node:timers/promises';
import { inputLimits } from '../core/input-limits.ts';
import type { PageNumbers } from '../core/recording/page-numbers.ts';
import { nextSlot } from '../core/recording/slots.ts';
import { formatDuration, type Nanos } from '../core/units.ts';
import { clockNs, timestamp } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { sleepNs } from '../platform/timer.ts';
import { BaselineCopy } from './baseline-copy.ts';
import type { WatchedMemory } from './watched-memory.ts';

export interface RecordOptions {
  readonly forNs: Nanos;
  readonly intervalNs: Nanos;
  /** Ends the recording early, with a sample at least. */
  readonly signal: AbortSignal;
  readonly sampled?: ((progress: RecordingProgress) => void) | undefined;
}

export interface Sample {
  /** Since the start. */
  readonly atNs: Nanos;
  /** The places of pages that changed since the sample before, to be looked up in the numbers. */
  readonly changed: Uint32Array;
}

/** How far a recording is: its latest sample, and more. */
export interface RecordingProgress extends Sample {
  readonly scanNs: Nanos;
  readonly seenPages: number;
  readonly missedSamples: number;
}

/** What was recorded, and what it cost and lacks. */
export interface RecordingSummary {
  readonly source: string;
  /** How it was recorded, and what that misses. */
  readonly method: string;
  readonly lowerBound: string;
  readonly pageSizeBytes: number;
  readonly startedAt: string;
  readonly intervalNs: Nanos;
  readonly samples: readonly Sample[];
  readonly numbers: PageNumbers;
  readonly missedSamples: number;
  /** How long each sample took. */
  readonly scansNs: readonly Nanos[];
  /** CPU time of this process, as a share of the time that the recording took. */
  readonly cpuShare: number;
  /** What it cost the machine that was recorded, where that is known. */
  readonly machineCpuShare?: number;
  /** Pages of zeros when it began, where that is known. */
  readonly zeroPages?: number;
  readonly appearedPages: number;
  readonly vanishedPages: number;
  readonly failedReads: number;
  readonly leftOut: readonly string[];
}

const LOWER_BOUND =
  'a page that was written several times within an interval counts once, one rewritten with the same bytes not at all';

/** A recording that is ended by it has less than may be read, also with all that the last sample may find. */
const MOST_WRITES = 0.75 * inputLimits.recordingWrites;
const MOST_SAMPLES = inputLimits.recordingSamples;
const TOO_LONG = `everything after ${MOST_WRITES} writes or ${MOST_SAMPLES} samples, the most that are recorded`;

/** Samples, up to as many as are recorded. */
export class SampleList {
  readonly list: Sample[] = [];
  #writes = 0;

  add(sample: Sample): void {
    this.list.push(sample);
    this.#writes += sample.changed.length;
  }

  get isFull(): boolean {
    return this.#writes >= MOST_WRITES || this.list.length >= MOST_SAMPLES;
  }

  get leftOut(): readonly string[] {
    return this.isFull ? [TOO_LONG] : [];
  }
}

/** So much of the memory that is free here may be taken by the copy. */
const SHARE_OF_FREE_MEMORY = 0.8;

/**
 * Records which pages of a memory change, by comparing it with a copy at every interval.
 * @throws Failure its owner is gone, or it does not fit a copy; nothing is kept then
 */
export async function record(memory: WatchedMemory, options: RecordOptions): Promise<RecordingSummary> {
  const { forNs, intervalNs, signal } = options;
  const baseline = new BaselineCopy(memory, process.availableMemory() * SHARE_OF_FREE_MEMORY);
  // The first scan fills the copy, which takes longer than any other; the recording begins with the second.
  baseline.scan();
  if (baseline.seenPages === 0) throw new Failure(`${memory.source} has no writable page in memory`);
  const startedAt = timestamp();
  const startNs = clockNs();
  const cpuBefore = process.cpuUsage();
  baseline.scan();
  const atFirst = baseline.seenPages;
  const samples = new SampleList();
  const scansNs: Nanos[] = [];
  const last = Math.floor(forNs / intervalNs);
  let next = nextSlot(0, clockNs() - startNs, intervalNs, last);
  let missedSamples = next.missed;
  while (next.slot <= last && !samples.isFull) {
    await waitUntil(startNs + next.slot * intervalNs, signal);
    if (signal.aborted && samples.list.length > 0) break;
    const beginNs = clockNs();
    const changed = scanned(baseline, beginNs - startNs, forNs);
    const endNs = clockNs();
    const sample = { atNs: beginNs - startNs, changed };
    samples.add(sample);
    scansNs.push(endNs - beginNs);
    next = nextSlot(next.slot, clockNs() - startNs, intervalNs, last);
    missedSamples += next.missed;
    options.sampled?.({
      ...sample,
      scanNs: endNs - beginNs,
      seenPages: baseline.seenPages,
      missedSamples,
    });
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    source: memory.source,
    method: 'content-diff',
    lowerBound: LOWER_BOUND,
    pageSizeBytes: memory.pageSizeBytes,
    startedAt,
    intervalNs,
    samples: samples.list,
    scansNs,
    numbers: baseline.numbers(),
    missedSamples,
    cpuShare: ((user + system) * 1e3) / (clockNs() - startNs),
    appearedPages: baseline.seenPages - atFirst,
    vanishedPages: baseline.vanishedPages,
    failedReads: baseline.failedReads,
    leftOut: [...memory.leftOut, ...samples.leftOut],
  };
}

/** Lets signals through, also when the sample is due already. */
async function waitUntil(atNs: Nanos, signal: AbortSignal): Promise<void> {
  const leftNs = atNs - clockNs();
  if (leftNs <= 0) await setImmediate();
  else await sleepNs(leftNs, { signal }).catch(() => {});
}

function scanned(baseline: BaselineCopy, elapsedNs: Nanos, forNs: Nanos): Uint32Array {
  try {
    return baseline.scan();
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    const after = `after ${formatDuration(elapsedNs)} of ${formatDuration(forNs)}; nothing was written`;
    throw new Failure(`${cause.message} (${after})`);
  }
}
