import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Failure, orFailure, reasonOf } from '../../platform/failure.ts';

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** A file to which batches of lines are appended: either the whole batch or nothing. */
export class ResultFile {
  readonly #name: string;
  readonly #descriptor: number;
  #bytes: number;

  /** @param bytes so much of it is whole; the rest, torn by an interruption, is cut off. @throws Failure not writable. */
  constructor(name: string, bytes: number) {
    this.#name = name;
    this.#bytes = bytes;
    this.#descriptor = orFailure(`cannot write ${name}`, () => {
      const descriptor = openSync(name, 'a');
      if (fstatSync(descriptor).size !== bytes) ftruncateSync(descriptor, bytes);
      return descriptor;
    });
  }

  /** @throws Failure it could not be written, and nothing of it was. */
  append(lines: string): void {
    const bytes = Buffer.from(lines);
    try {
      for (let start = 0; start < bytes.length; ) start += writeSync(this.#descriptor, bytes, start);
    } catch (cause) {
      ftruncateSync(this.#descriptor, this.#bytes);
      const full = FULL.includes((cause as NodeJS.ErrnoException).code ?? '');
      const remedy = full
        ? '; everything before it is complete. Free some space, and the same command continues'
        : '';
      throw new Failure(`cannot write ${this.#name}: ${reasonOf(cause)}${remedy}`);
    }
    this.#bytes += bytes.length;
  }

  /** All of it is on the disk. */
  close(): void {
    try {
      fsyncSync(this.#descriptor);
    } finally {
      closeSync(this.#descriptor);
    }
  }
}
