import { gunzipSync } from 'node:zlib';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { Failure, reasonOf } from '../platform/failure.ts';

/**
 * A recording of a real program's page writes, format `dirty-trace/1`: gzipped NDJSON, a header line, then one
 * line `[tMs, [page, …]]` a sample: the pages that changed since the sample before.
 */
export interface Recording {
  readonly pages: number;
  readonly pageSizeBytes: number;
  readonly durationNs: Nanos;
  /** Write k changes page writePages[k] at writeAtNs[k], ascending. A sample's writes are spread over its interval. */
  readonly writeAtNs: Float64Array;
  readonly writePages: Uint32Array;
}

export const RECORDING_FORMAT = 'dirty-trace/1';

/** A recording may come from anybody, as a few bytes that unfold to many: what it costs to read is bounded. */
const LARGEST_RECORDING_BYTES = 256 * 1024 * 1024;
const LARGEST_LINE_BYTES = 64 * 1024 * 1024;
const MOST_WRITES = 2 ** 25;

/** @throws Failure the bytes are not a whole, well-formed recording; says where. */
export function parseRecording(bytes: Uint8Array, name: string): Recording {
  const lines = linesOf(inflate(bytes, name), name);
  const header = parseHeader(lines.next().value, name);
  const writeAtNs: number[] = [];
  const writePages: number[] = [];
  let previousNs = 0;
  let samples = 0;
  for (const line of lines) {
    samples += 1;
    const where = `${name}:${samples + 1}`;
    const sample = parseJson(line, where);
    if (!isSample(sample)) throw new Failure(`${where}: expected [milliseconds, [page, …]]`);
    const atNs = sample[0] * NANOS_PER_MILLISECOND;
    if (atNs < previousNs) throw new Failure(`${where}: time runs backwards`);
    if (writePages.length + sample[1].length > MOST_WRITES) {
      throw new Failure(`${where}: more than ${MOST_WRITES} writes, the most that a recording may have`);
    }
    for (const [position, page] of sample[1].entries()) {
      if (!Number.isInteger(page) || page < 0 || page >= header.pages) {
        throw new Failure(`${where}: page ${page}, but the recording has ${header.pages} pages`);
      }
      // The last one is written as the sample is taken: divided first, the fraction is exactly 1.
      writeAtNs.push(previousNs + (atNs - previousNs) * ((position + 1) / sample[1].length));
      writePages.push(page);
    }
    previousNs = atNs;
  }
  if (samples !== header.samples) {
    throw new Failure(`${name}: the header says ${header.samples} samples, the file has ${samples}`);
  }
  if (previousNs <= 0) throw new Failure(`${name}: the recording has no duration`);
  return {
    pages: header.pages,
    pageSizeBytes: header.pageSizeBytes,
    durationNs: previousNs,
    writeAtNs: Float64Array.from(writeAtNs),
    writePages: Uint32Array.from(writePages),
  };
}

interface Header {
  readonly pages: number;
  readonly pageSizeBytes: number;
  readonly samples: number;
}

/** One after the other: a file of nothing but line ends must not become millions of strings. */
function* linesOf(text: Buffer, name: string): Generator<string, undefined> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    if (end - start > LARGEST_LINE_BYTES) {
      throw new Failure(`${name}: a line of more than ${LARGEST_LINE_BYTES} bytes`);
    }
    yield text.toString('utf8', start, end);
    start = end + 1;
  }
}

function inflate(bytes: Uint8Array, name: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: LARGEST_RECORDING_BYTES });
  } catch (cause) {
    throw new Failure(`${name}: not a whole gzip file (${reasonOf(cause)})`);
  }
}

function parseHeader(line: string | undefined, name: string): Header {
  const header = parseJson(line ?? '', `${name}:1`) as Record<string, unknown> | null;
  if (header?.format !== RECORDING_FORMAT) {
    throw new Failure(`${name}:1: expected the format ${RECORDING_FORMAT}`);
  }
  const { pages, pageSizeBytes, samples } = header;
  if (
    ![pages, pageSizeBytes, samples].every((value) => Number.isSafeInteger(value) && (value as number) > 0)
  ) {
    throw new Failure(`${name}:1: pages, pageSizeBytes and samples must be whole numbers above 0`);
  }
  return header as unknown as Header;
}

function parseJson(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Failure(`${where}: not JSON`);
  }
}

function isSample(value: unknown): value is [number, number[]] {
  return Array.isArray(value) && Number.isFinite(value[0]) && Array.isArray(value[1]);
}
