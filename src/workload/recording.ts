import { constants, gunzipSync } from 'node:zlib';
import { inputLimits } from '../core/input-limits.ts';
import { formatSize, NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { Failure, reasonOf, TooLarge } from '../platform/failure.ts';
import { parseJson } from '../platform/json.ts';

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

/**
 * A recording may come from anybody, as a few bytes that unfold to many: what it costs to read is bounded.
 * @throws TooLarge
 * @throws Failure the bytes are not a whole, well-formed recording; says where
 */
export function parseRecording(bytes: Uint8Array, name: string): Recording {
  const { recordingSamples } = inputLimits;
  const text = inflate(bytes, name);
  const lines = linesOf(text, name);
  const header = parseHeader(lines.next().value, name);
  const writes = new WriteList(name, text);
  let previousNs = 0;
  let samples = 0;
  for (const line of lines) {
    samples += 1;
    if (samples > recordingSamples) throw new TooLarge(name, `at most ${recordingSamples} samples`);
    const where = `${name}:${samples + 1}`;
    const [atMs, pages] = parseSample(line, where);
    const atNs = atMs * NANOS_PER_MILLISECOND;
    if (atNs < previousNs) throw new Failure(`${where}: time runs backwards`);
    for (const [position, page] of pages.entries()) {
      if (!Number.isInteger(page) || page < 0 || page >= header.pages) {
        throw new Failure(`${where}: page ${page}, but the recording has ${header.pages} pages`);
      }
      // The last one is written as the sample is taken: divided first, the fraction is exactly 1.
      writes.add(previousNs + (atNs - previousNs) * ((position + 1) / pages.length), page);
    }
    previousNs = atNs;
  }
  if (samples !== header.samples) {
    throw new Failure(`${name}: the header says ${header.samples} samples, the file has ${samples}`);
  }
  if (previousNs <= 0) throw new Failure(`${name}: the recording has no duration`);
  if (writes.count > previousNs) throw new Failure(`${name}: more than one write a nanosecond`);
  const { pages, pageSizeBytes } = header;
  return { pages, pageSizeBytes, durationNs: previousNs, ...writes.taken() };
}

/**
 * The pages of a recording, from its header alone: its writes are not even unpacked.
 * @throws TooLarge, Failure as `parseRecording`, of the header
 */
export function recordedPages(bytes: Uint8Array, name: string): number {
  const { recordingHeaderBytes } = inputLimits;
  for (let packedBytes = 1_024; ; packedBytes *= 2) {
    const text = inflate(bytes.subarray(0, packedBytes), name, constants.Z_SYNC_FLUSH);
    const end = text.indexOf('\n');
    if (end >= 0 || text.length > recordingHeaderBytes || packedBytes >= bytes.length) {
      return parseHeader(text.toString('utf8', 0, end >= 0 ? end : recordingHeaderBytes + 1), name).pages;
    }
  }
}

/** Writes in arrays of their own: of numbers in objects, as many would not fit the memory of a thread. */
class WriteList {
  readonly #name: string;
  readonly #atNs: Float64Array;
  readonly #pages: Uint32Array;
  #count = 0;

  /** @param text of the recording, in which a comma stands before every write */
  constructor(name: string, text: Buffer) {
    const room = Math.min(commasIn(text), inputLimits.recordingWrites);
    this.#name = name;
    this.#atNs = new Float64Array(room);
    this.#pages = new Uint32Array(room);
  }

  get count(): number {
    return this.#count;
  }

  /** @throws TooLarge */
  add(atNs: Nanos, page: number): void {
    if (this.#count === this.#atNs.length) {
      throw new TooLarge(this.#name, `at most ${inputLimits.recordingWrites} writes`);
    }
    this.#atNs[this.#count] = atNs;
    this.#pages[this.#count] = page;
    this.#count += 1;
  }

  taken(): Pick<Recording, 'writeAtNs' | 'writePages'> {
    return {
      writeAtNs: this.#atNs.subarray(0, this.#count),
      writePages: this.#pages.subarray(0, this.#count),
    };
  }
}

const COMMA = 0x2c;

function commasIn(text: Buffer): number {
  let commas = 0;
  for (const byte of text) if (byte === COMMA) commas += 1;
  return commas;
}

interface Header {
  readonly pages: number;
  readonly pageSizeBytes: number;
  readonly samples: number;
}

/** One after the other: a file of nothing but line ends must not become millions of strings. */
function* linesOf(text: Buffer, name: string): Generator<string, undefined> {
  const { recordingLineBytes } = inputLimits;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    if (end - start > recordingLineBytes) {
      throw new TooLarge(name, `lines of at most ${formatSize(recordingLineBytes)}`);
    }
    yield text.toString('utf8', start, end);
    start = end + 1;
  }
}

/** Large enough to be given back to the system. */
const CHUNK_BYTES = 256 * 1024;

function inflate(bytes: Uint8Array, name: string, finishFlush: number = constants.Z_FINISH): Buffer {
  const { recordingTextBytes } = inputLimits;
  try {
    return gunzipSync(bytes, { maxOutputLength: recordingTextBytes, finishFlush, chunkSize: CHUNK_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TooLarge(name, `at most ${formatSize(recordingTextBytes)} once unpacked`);
    }
    throw new Failure(`${name}: not a whole gzip file (${reasonOf(cause)})`);
  }
}

function parseHeader(line = '', name: string): Header {
  const { recordingHeaderBytes } = inputLimits;
  if (line.length > recordingHeaderBytes) {
    throw new TooLarge(`${name}:1`, `a header of at most ${formatSize(recordingHeaderBytes)}`);
  }
  const header = parseJson(line, `${name}:1`) as Record<string, unknown> | null;
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

/** A list of numbers in a list: anything else would take far more room than its text. */
const SAMPLE = /^\s*\[[^[\]{}"]*\[[^[\]{}"]*\]\s*\]\s*$/;

function parseSample(line: string, where: string): readonly [number, readonly number[]] {
  const sample = SAMPLE.test(line) ? parseJson(line, where, inputLimits.recordingWrites) : undefined;
  if (isSample(sample)) return sample;
  throw new Failure(`${where}: expected [milliseconds, [page, …]]`);
}

function isSample(value: unknown): value is [number, number[]] {
  return Array.isArray(value) && value.length === 2 && Number.isFinite(value[0]) && Array.isArray(value[1]);
}
