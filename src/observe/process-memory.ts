import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { formatSize } from '../core/units.ts';
import { Failure, printable, Refusal, reasonOf } from '../platform/failure.ts';
import { systemPageBytes } from '../platform/page-size.ts';
import { type Mapping, PAGEMAP_ENTRY_BYTES, parseMaps, presentStretches } from './address-space.ts';
import type { Stretch, WatchedMemory } from './watched-memory.ts';

/** Of a larger mapping even the list of its pages takes too long to read; sanitizers reserve terabytes. */
const LARGEST_MAPPING_BYTES = 64 * 2 ** 30;

/** So much of a pagemap is read at once. */
const PAGEMAP_BYTES = 256 * 1024;

/**
 * The resident writable pages of a process. Only reads, and only pages that are in memory: reading another would make
 * the kernel put one there. The process is never stopped. What reading costs it is memory bandwidth, and waiting if it
 * wants to change its mappings meanwhile (the kernel holds the lock of the address space for a moment per page).
 */
export class ProcessMemory implements WatchedMemory {
  readonly source: string;
  readonly pageSizeBytes = systemPageBytes();
  readonly leftOut = new Set<string>();
  readonly #pid: number;
  /** Opened once: they stay with this address space, even if its process ends and another gets its number. */
  readonly #maps: number;
  readonly #pagemap: number;
  readonly #memory: number;
  readonly #entries = new Uint8Array(PAGEMAP_BYTES);

  /** @throws Failure no such process @throws Refusal its memory may not be read */
  constructor(pid: number) {
    this.#pid = pid;
    const name = commandOf(pid);
    this.source = `${name} (process ${pid})`;
    const opened: number[] = [];
    try {
      for (const file of ['maps', 'pagemap', 'mem']) opened.push(openSync(`/proc/${pid}/${file}`, 'r'));
    } catch (cause) {
      for (const descriptor of opened) closeSync(descriptor);
      throw unopened(pid, name, cause);
    }
    [this.#maps, this.#pagemap, this.#memory] = opened as [number, number, number];
  }

  *stretches(): Generator<Stretch> {
    const mappings = parseMaps(this.#readMaps());
    if (mappings.length === 0) {
      throw new Failure(withoutMemory(this.source));
    }
    for (const mapping of mappings) {
      if (!mapping.writable) continue;
      const bytes = mapping.end - mapping.start;
      if (bytes <= LARGEST_MAPPING_BYTES) yield* this.#resident(mapping);
      else this.leftOut.add(`a mapping of ${formatSize(bytes)} ${mapping.name}`.trimEnd());
    }
  }

  read(into: Uint8Array, offset: number, length: number, firstPage: number): number {
    try {
      const read = readSync(this.#memory, into, offset, length, firstPage * this.pageSizeBytes);
      // The kernel reads nothing, without an error, when the address space is gone (fs/proc/base.c: mem_rw).
      if (read > 0) return read;
    } catch (cause) {
      // EIO: unmapped in the meantime, or memory of a device.
      if ((cause as NodeJS.ErrnoException).code === 'EIO') return 0;
      throw this.#unread(cause);
    }
    throw new Failure(withoutMemory(this.source));
  }

  close(): void {
    for (const descriptor of [this.#maps, this.#pagemap, this.#memory]) closeSync(descriptor);
  }

  *#resident({ start, end }: Mapping): Generator<Stretch> {
    const last = end / this.pageSizeBytes;
    let page = start / this.pageSizeBytes;
    while (page < last) {
      const wanted = Math.min((last - page) * PAGEMAP_ENTRY_BYTES, PAGEMAP_BYTES);
      const read = this.#tryRead(this.#pagemap, this.#entries, wanted, page * PAGEMAP_ENTRY_BYTES);
      if (read === 0) throw new Failure(withoutMemory(this.source));
      yield* presentStretches(this.#entries.subarray(0, read), page);
      page += read / PAGEMAP_ENTRY_BYTES;
    }
  }

  /** The kernel gives a page of it at a time. */
  #readMaps(): string {
    const pieces: Buffer[] = [];
    for (let length = 0; ; length += pieces.at(-1)!.length) {
      const piece = Buffer.alloc(this.pageSizeBytes);
      const read = this.#tryRead(this.#maps, piece, piece.length, length);
      if (read === 0) return Buffer.concat(pieces).toString('latin1');
      pieces.push(piece.subarray(0, read));
    }
  }

  #tryRead(descriptor: number, into: Uint8Array, length: number, position: number): number {
    try {
      return readSync(descriptor, into, 0, length, position);
    } catch (cause) {
      throw this.#unread(cause);
    }
  }

  #unread(cause: unknown): Failure {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return new Failure(withoutMemory(this.source));
    return new Failure(`the memory of process ${this.#pid} cannot be read: ${reasonOf(cause)}`);
  }
}

/** What the kernel calls a process, or its program where its first thread calls itself by what it is, as that of Node 24 does. */
function commandOf(pid: number): string {
  if (process.platform !== 'linux') throw new Failure('reading the memory of a process works only on Linux');
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    return printable(/MainThread$/.test(name) ? (programOf(pid) ?? name) : name);
  } catch (cause) {
    const gone = ['ENOENT', 'ESRCH'].includes((cause as NodeJS.ErrnoException).code ?? '');
    throw new Failure(gone ? `there is no process ${pid}` : `process ${pid}: ${reasonOf(cause)}`);
  }
}

/** @returns undefined: who may not read its memory is not told */
function programOf(pid: number): string | undefined {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return undefined;
  }
}

/** Zombies and the kernel's own threads are processes, but have no address space. */
function withoutMemory(source: string): string {
  return `${source} has no memory: it has ended, executes another program now, or belongs to the kernel`;
}

/** ptrace(2), "Ptrace access mode checking": reading memory asks for the same permission as a debugger does. */
function unopened(pid: number, name: string, cause: unknown): Failure {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return new Refusal(
      `the memory of ${name} (process ${pid}) may not be read: run as root (CAP_SYS_PTRACE), or as its owner if ` +
        '/proc/sys/kernel/yama/ptrace_scope is 0 or absent',
    );
  }
  if (code === 'ENOENT' || code === 'ESRCH') return new Failure(withoutMemory(`${name} (process ${pid})`));
  return new Failure(`the memory of ${name} (process ${pid}) cannot be opened: ${reasonOf(cause)}`);
}
