import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Failure, orFailure, reasonOf } from './failure.ts';

const { O_APPEND, O_CREAT, O_WRONLY } = constants;
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * A file to which lines are appended: each time all of them, or none. They are the kernel's when `append` returns, and on
 * the disk when `close` does. A device or a pipe, of which nothing can be taken back, takes as many bytes as it can.
 */
export class LineFile {
  readonly #name: string;
  readonly #descriptor: number;
  readonly #isRegular: boolean;
  readonly #ifFull: string;
  #wholeBytes: number;
  #isTorn = false;
  #hasFailed = false;
  #isOpen = true;

  /**
   * @param wholeBytes so much of what is there is kept; what follows, torn by an interruption or of another run, is cut off
   * @param ifFull what to do if the disk is full
   * @throws Failure it cannot be written
   */
  constructor(name: string, { wholeBytes = 0, ifFull = '' } = {}) {
    this.#name = name;
    this.#ifFull = ifFull;
    this.#wholeBytes = wholeBytes;
    this.#descriptor = this.#orFailure(() => openSync(name, O_WRONLY | O_CREAT | O_APPEND));
    this.#isRegular = fstatSync(this.#descriptor).isFile();
    this.#orFailure(() => this.#cutOff());
  }

  /** @throws Failure they could not be written, and nothing of them was */
  append(lines: string | Uint8Array): void {
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines;
    try {
      if (this.#isTorn) this.#cutOff();
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    } catch (cause) {
      this.#hasFailed = true;
      this.#tear();
      const isFull = FULL.includes((cause as NodeJS.ErrnoException).code ?? '');
      const remedy = isFull && this.#ifFull !== '' ? `. ${this.#ifFull}` : '';
      const before = this.#isRegular ? '; everything before it is complete' : '';
      throw new Failure(`cannot write ${this.#name}: ${reasonOf(cause)}${before}${remedy}`);
    }
    this.#wholeBytes += bytes.length;
  }

  /** May be called again. @throws Failure not all of it is on the disk, and no `append` has said so */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (this.#isRegular) this.#orFailure(() => fsyncSync(this.#descriptor));
    } catch (cause) {
      if (!this.#hasFailed) throw cause;
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #cutOff(): void {
    if (this.#isRegular) ftruncateSync(this.#descriptor, this.#wholeBytes);
    this.#isTorn = false;
  }

  #tear(): void {
    this.#isTorn = true;
    try {
      this.#cutOff();
    } catch {
      // The next line cuts it off, or is not written either; whoever reads passes over a line that nothing ends.
    }
  }

  #orFailure<T>(act: () => T): T {
    return orFailure(`cannot write ${this.#name}`, act);
  }
}
