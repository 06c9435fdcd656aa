import type { Nanos } from '../core/units.ts';
import { Failure } from './failure.ts';

/** As much of it as is used here; the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};

/** CLOCK_THREAD_CPUTIME_ID in the numbers of WASI (wasi_snapshot_preview1: clockid). */
const THREAD_CPUTIME_ID = 3;

/**
 * CPU time that the calling thread has used; never stale; 0.3 µs. The first call looks for the clock, which takes much longer than to
 * read it: whoever may not lose that time makes it beforehand.
 */
export function threadCpuNs(): Nanos {
  clock ??= threadClock();
  return clock();
}

let clock: (() => Nanos) | undefined;

/**
 * Node offers WebAssembly programs the kernel's clock of the calling thread (uvwasi: clock_gettime(2)), and nobody else. So we make
 * the call that such a program would make, without one: all that it must have is a memory for the answer.
 * @throws Failure this system has no such clock
 */
function threadClock(): () => Nanos {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const wasi = quietly(() => {
    const { WASI } = process.getBuiltinModule('node:wasi');
    return new WASI({ version: 'preview1' });
  });
  wasi.initialize({ exports: { memory } });
  const { clock_time_get: timeGet } = wasi.wasiImport as { clock_time_get: ClockTimeGet };
  const time = new Uint32Array(memory.buffer, 0, 2);
  const errno = timeGet(THREAD_CPUTIME_ID, 0n, 0);
  if (errno !== 0) throw new Failure(`cannot read the CPU time of a thread (WASI error ${errno})`);
  return () => {
    timeGet(THREAD_CPUTIME_ID, 0n, 0);
    return time[1]! * 2 ** 32 + time[0]!;
  };
}

/** Writes the time to this address of the memory; returns 0 or an error. */
type ClockTimeGet = (clock: number, precision: bigint, address: number) => number;

/** When it is loaded Node warns that WASI may change, which tells a user of ours nothing: the tests watch this use of it. */
function quietly<T>(make: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return make();
  } finally {
    process.emitWarning = emitWarning;
  }
}
