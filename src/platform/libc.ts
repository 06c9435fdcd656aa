import { getSystemErrorName } from 'node:util';
import { koffi } from './koffi.ts';

/** sched_setattr(2); thread 0 is the calling one. @returns the name of the error, or undefined if there was none */
export type SchedSetattr = (thread: number, attributes: Uint8Array) => string | undefined;

/** sched_getattr(2): fills `attributes`. @returns as the other one */
export type SchedGetattr = SchedSetattr;

/** The C library has neither: these are the numbers of the system calls, to set and to get. */
const NUMBERS: Readonly<Partial<Record<string, readonly [number, number]>>> = {
  x64: [314, 315],
  arm64: [274, 275],
};

/**
 * Undefined where koffi is not installed, which is no error: there are slower ways to everything. Loaded when it is first
 * asked for: koffi never frees the 43 KB that it keeps for a thread, nor three mappings of the 65,530 that a process may have
 * (vm.max_map_count).
 */
export function schedSetattr(): SchedSetattr | undefined {
  return sought()?.set;
}

/** Undefined where koffi is not installed: nobody else tells all of it. */
export function schedGetattr(): SchedGetattr | undefined {
  return sought()?.get;
}

interface SchedCalls {
  readonly set: SchedSetattr;
  readonly get: SchedGetattr;
}

function sought(): SchedCalls | undefined {
  if (!wasSought && process.platform === 'linux') found = load();
  wasSought = true;
  return found;
}

let found: SchedCalls | undefined;
let wasSought = false;

function load(): SchedCalls | undefined {
  const numbers = NUMBERS[process.arch];
  const calls = numbers === undefined ? undefined : koffi();
  if (!numbers || !calls) return undefined;
  const [setNumber, getNumber] = numbers;
  const library = calls.load(null);
  const set = library.func('long syscall(long number, int thread, void *attributes, uint flags)');
  const get = library.func('long syscall(long number, int thread, void *attributes, uint size, uint flags)');
  const refusal = (result: number) => (result === 0 ? undefined : getSystemErrorName(-calls.errno()));
  return {
    set: (thread, attributes) => refusal(set(setNumber, thread, attributes, 0)),
    get: (thread, attributes) => refusal(get(getNumber, thread, attributes, attributes.byteLength, 0)),
  };
}
