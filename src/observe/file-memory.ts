import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import { formatSize } from '../core/units.ts';
import { Failure, orFailure } from '../platform/failure.ts';
import { systemPageBytes } from '../platform/page-size.ts';
import type { Stretch, WatchedMemory } from './watched-memory.ts';

/** The memory of a virtual machine that lies in a file, as QEMU's memory-backend-file with share=on puts it there. */
export class FileMemory implements WatchedMemory {
  readonly source: string;
  readonly pageSizeBytes = systemPageBytes();
  readonly leftOut: ReadonlySet<string> = new Set();
  readonly #file: string;
  readonly #descriptor: number;
  readonly #bytes: number;

  /** @throws Failure no such file, or not one that holds whole pages */
  constructor(file: string) {
    this.#file = file;
    this.source = `the memory in ${basename(file)}`;
    this.#descriptor = orFailure(`cannot read ${file}`, () => openSync(file, 'r'));
    const stats = fstatSync(this.#descriptor);
    this.#bytes = stats.size;
    const wrong = this.#wrongWith(stats);
    if (wrong === undefined) return;
    this.close();
    throw new Failure(`${file}: ${wrong}`);
  }

  *stretches(): Generator<Stretch> {
    const { size } = fstatSync(this.#descriptor);
    if (size !== this.#bytes) {
      const [was, is] = [formatSize(this.#bytes), formatSize(size)];
      throw new Failure(
        `${this.#file} changed its size from ${was} to ${is}: the memory of a virtual machine does not`,
      );
    }
    yield { firstPage: 0, pages: this.#bytes / this.pageSizeBytes };
  }

  read(into: Uint8Array, offset: number, length: number, firstPage: number): number {
    const at = firstPage * this.pageSizeBytes;
    return orFailure(`cannot read ${this.#file}`, () => readSync(this.#descriptor, into, offset, length, at));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #wrongWith(stats: Stats): string | undefined {
    if (!stats.isFile()) return 'not a file';
    if (stats.size === 0) return 'the file is empty';
    if (stats.size % this.pageSizeBytes === 0) return undefined;
    return `its ${stats.size} bytes are not a whole number of pages of ${this.pageSizeBytes} bytes`;
  }
}
