import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Failure, reasonOf } from '../../platform/failure.ts';

/** include/uapi/asm-generic/mman-common.h */
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = (1n << 64n) - 1n;

/** A file that this process and others have as memory: the RAM of a machine. */
export class MappedFile {
  readonly bytes: Buffer;
  readonly #place: MappedPlace;

  private constructor(place: MappedPlace) {
    this.#place = place;
    this.bytes = viewOf(place);
  }

  /** A new file of zeros. @throws Failure it cannot be made, or not be mapped. */
  static create(file: string, lengthBytes: number): MappedFile {
    const { mmap } = calls();
    let descriptor: number | undefined;
    try {
      descriptor = openSync(file, 'wx+', 0o600);
      ftruncateSync(descriptor, lengthBytes);
      const address = mmap(null, lengthBytes, PROT_READ_WRITE, MAP_SHARED, descriptor, 0);
      if (address === MAP_FAILED) throw new Failure('the kernel cannot map it');
      return new MappedFile({ address, lengthBytes });
    } catch (cause) {
      throw new Failure(`no memory for a guest in ${file}: ${reasonOf(cause)}`);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  /** For other threads of this process, until it is unmapped. */
  get place(): MappedPlace {
    return this.#place;
  }

  /** Nobody may read its bytes any more. */
  unmap(): void {
    calls().munmap(this.#place.address, this.#place.lengthBytes);
  }
}

/** Where a mapping lies in the memory of this process: what its threads tell each other. */
export interface MappedPlace {
  readonly address: bigint;
  readonly lengthBytes: number;
}

/** The bytes of a mapping, in the thread that asks; at most once in each thread. */
export function viewOf({ address, lengthBytes }: MappedPlace): Buffer {
  return Buffer.from(calls().view(address, lengthBytes));
}

interface Calls {
  readonly mmap: (
    at: null,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ) => bigint;
  readonly munmap: (address: bigint, length: number) => number;
  readonly view: (address: bigint, length: number) => ArrayBuffer;
}

let known: Calls | undefined;

/** mmap(2), which Node does not offer. @throws Failure koffi is not installed. */
function calls(): Calls {
  known ??= load();
  return known;
}

function load(): Calls {
  let koffi: typeof import('koffi');
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch {
    throw new Failure("sharing a virtual machine's memory needs koffi: `npm install koffi`");
  }
  const library = koffi.load(null);
  return {
    mmap: library.func(
      'uintptr_t mmap(void *at, size_t length, int prot, int flags, int fd, int64_t offset)',
    ) as never,
    munmap: library.func('int munmap(uintptr_t address, size_t length)') as never,
    view: (address, length) => koffi.view(address, length),
  };
}
