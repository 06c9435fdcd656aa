import { gzipSync } from 'node:zlib';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { RECORDING_FORMAT } from '../workload/recording.ts';
import type { RecordingSummary } from './recorder.ts';

/** The first line of a recording: what a reader needs, and what it should know before believing the rest. */
export function recordingHeader(recorded: RecordingSummary) {
  const { source, pageSizeBytes, numbers, intervalNs, samples, scansNs } = recorded;
  const ascending = scansNs.toSorted((one, other) => one - other);
  const share = (part: number) => Math.round(part * 1e3) / 1e3;
  const ms = (ns: number) => Math.round(ns / 1e4) / 100;
  return {
    format: RECORDING_FORMAT,
    source,
    method: recorded.method,
    pageSizeBytes,
    pages: numbers.pages,
    intervalMs: intervalNs / NANOS_PER_MILLISECOND,
    samples: samples.length,
    lowerBound: recorded.lowerBound,
    startedAt: recorded.startedAt,
    missedSamples: recorded.missedSamples,
    scanMs: { median: ms(ascending[ascending.length >>> 1]!), most: ms(ascending.at(-1)!) },
    cpuShare: share(recorded.cpuShare),
    ...(recorded.machineCpuShare !== undefined && { machineCpuShare: share(recorded.machineCpuShare) }),
    ...(recorded.zeroPages !== undefined && { zeroPages: recorded.zeroPages }),
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
