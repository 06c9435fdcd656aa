import { closeSync, ftruncateSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatSize } from '../../core/units.ts';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { koffi } from '../../platform/koffi.ts';
import { populate } from '../../platform/populate.ts';

/** include/uapi/asm-generic/mman-common.h */
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = (1n << 64n) - 1n;

/** A file that this process and others have as memory: the RAM of a machine. */
export class MappedFile {
  readonly bytes: Buffer;
  /** For other threads of this process, until it is unmapped. */
  readonly place: MappedPlace;

  private constructor(place: MappedPlace) {
    this.place = place;
    this.bytes = viewOf(place);
  }

  /** A new file of zeros, all of it in memory. @throws Failure it cannot be made, or not be mapped. */
  static async create(file: string, lengthBytes: number): Promise<MappedFile> {
    const { mmap } = calls();
    let descriptor: number | undefined;
    try {
      // A file in memory that outgrows its file system is found out by a signal, which kills.
      const { bavail, bsize } = statfsSync(dirname(file));
      if (lengthBytes > bavail * bsize) {
        throw new Failure(`${formatSize(lengthBytes)} needed, ${formatSize(bavail * bsize)} are free there`);
      }
      descriptor = openSync(file, 'wx+', 0o600);
      ftruncateSync(descriptor, lengthBytes);
      const address = mmap(null, lengthBytes, PROT_READ_WRITE, MAP_SHARED, descriptor, 0);
      if (address === MAP_FAILED) throw new Failure('the kernel cannot map it');
      const mapped = new MappedFile({ address, lengthBytes });
      await populate([mapped.bytes]);
      return mapped;
    } catch (cause) {
      throw new Failure(`no memory for a guest in ${file}: ${reasonOf(cause)}`);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  /** No thread may read its bytes any more. */
  unmap(): void {
    calls().munmap(this.place.address, this.place.lengthBytes);
  }
}

/** The address of a mapping in this process, for its other threads. */
export interface MappedPlace {
  readonly address: bigint;
  readonly lengthBytes: number;
}

/** The bytes of a mapping, in the thread that asks; at most once in each thread. */
export function viewOf({ address, lengthBytes }: MappedPlace): Buffer {
  return Buffer.from(calls().view(address, lengthBytes));
}

interface Calls {
  mmap(at: null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(address: bigint, length: number): number;
  view(address: bigint, length: number): ArrayBuffer;
}

let known: Calls | undefined;

/** mmap(2), which Node does not offer. @throws Failure koffi is not installed. */
function calls(): Calls {
  if (known) return known;
  const loaded = koffi();
  if (!loaded) throw new Failure("sharing a virtual machine's memory needs koffi: `npm install koffi`");
  const library = loaded.load(null);
  known = {
    mmap: library.func(
      'uintptr_t mmap(void *at, size_t length, int prot, int flags, int fd, int64_t offset)',
    ),
    munmap: library.func('int munmap(uintptr_t address, size_t length)'),
    view: (address, length) => loaded.view(address, length),
  };
  return known;
}
