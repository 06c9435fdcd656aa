import type { Nanos } from '../core/units.ts';
import { Failure } from './failure.ts';

/** As much of it as is used here; the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};

/** CLOCK_THREAD_CPUTIME_ID in the numbers of WASI (wasi_snapshot_preview1: clockid). */
const THREAD_CPUTIME_ID = 3;

/**
 * CPU time that the calling thread has used; never stale; 0.3 µs. The first call sets the clock up and takes much longer:
 * make it where that time does not matter.
 */
export function threadCpuNs(): Nanos {
  clock ??= threadClock();
  return clock();
}

let clock: (() => Nanos) | undefined;

/**
 * Node offers the kernel's clock of the calling thread only to WebAssembly programs (uvwasi: clock_gettime(2)). So we call
 * what such a program would call, with a memory for the answer and without a program.
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
  const args = [THREAD_CPUTIME_ID, 0n, 0] as const;
  const errno = timeGet(...args);
  if (errno !== 0) throw new Failure(`cannot read the CPU time of a thread (WASI error ${errno})`);
  return () => {
    // With a BigInt written in the call, V8 optimises it on the assumption of another type, finds that wrong, and begins
    // again, for ever: as much work again as that of the thread.
    Reflect.apply(timeGet, undefined, args);
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
