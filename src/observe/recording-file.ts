import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { Failure, orFailure, reasonOf } from '../platform/failure.ts';
import { isSpecial } from '../platform/paths.ts';
import { RECORDING_FORMAT } from '../workload/recording.ts';
import type { RecordingSummary } from './recorder.ts';

/** The first line of a recording: what a reader needs, and what it should know before believing the rest. */
export function recordingHeader(recorded: RecordingSummary) {
  const { source, pageSizeBytes, numbers, intervalNs, samples, scansNs } = recorded;
  const ascending = scansNs.toSorted((one, other) => one - other);
  const ms = (ns: number) => Math.round(ns / 1e4) / 100;
  return {
    format: RECORDING_FORMAT,
    source,
    method: 'content-diff',
    pageSizeBytes,
    pages: numbers.pages,
    intervalMs: intervalNs / NANOS_PER_MILLISECOND,
    samples: samples.length,
    lowerBound:
      'a page that was written several times within an interval counts once, one rewritten with the same bytes not at all',
    startedAt: recorded.startedAt,
    missedSamples: recorded.missedSamples,
    scanMs: { median: ms(ascending[ascending.length >>> 1]!), most: ms(ascending.at(-1)!) },
    cpuShare: Math.round(recorded.cpuShare * 1e3) / 1e3,
    appearedPages: recorded.appearedPages,
    vanishedPages: recorded.vanishedPages,
    failedReads: recorded.failedReads,
    leftOut: recorded.leftOut,
  };
}

/** The recording in the format dirty-trace/1: gzipped lines of JSON. */
export function encodeRecording(recorded: RecordingSummary): Buffer {
  const { numberAt } = recorded.numbers;
  const lines = recorded.samples.map(({ atNs, changed }) => {
    const pages = changed.map((place) => numberAt[place]!).sort();
    return `[${(atNs / NANOS_PER_MILLISECOND).toFixed(3)},[${pages.join(',')}]]`;
  });
  return gzipSync([JSON.stringify(recordingHeader(recorded)), ...lines, ''].join('\n'));
}

/**
 * A file that is there whole or not at all; a device or a pipe is written to as it is. Opened at once, so that an hour of
 * recording does not end with a refusal.
 */
export class PendingFile {
  readonly #file: string;
  /** Without one there is nothing to rename or to remove. */
  readonly #partial: string | undefined;
  readonly #descriptor: number;

  /** @throws Failure it cannot be written */
  constructor(file: string) {
    this.#file = file;
    const special = isSpecial(file);
    this.#partial = special ? undefined : `${file}.${process.pid}.part`;
    const [opened, flags] = [this.#partial ?? file, special ? 'w' : 'wx'];
    this.#descriptor = orFailure(`cannot write ${file}`, () => openSync(opened, flags));
  }

  /** @throws Failure it cannot be written; then nothing is left of it */
  keep(bytes: Uint8Array): void {
    try {
      writeFileSync(this.#descriptor, bytes);
      closeSync(this.#descriptor);
      if (this.#partial) renameSync(this.#partial, this.#file);
    } catch (cause) {
      this.#remove();
      throw new Failure(`cannot write ${this.#file}: ${reasonOf(cause)}`);
    }
  }

  drop(): void {
    closeSync(this.#descriptor);
    this.#remove();
  }

  #remove(): void {
    if (this.#partial) rmSync(this.#partial, { force: true });
  }
}
