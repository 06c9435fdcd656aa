import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Failure, orFailure } from '../platform/failure.ts';
import { writeText } from '../platform/text-file.ts';

/** Of blank lines: what may have to be written before a full disk has been noticed and what runs has ended. */
const ROOM_BYTES = 256 * 1024;
/** So much must be free besides, or the disk counts as full. */
const SPARE_BYTES = 64 * 1024;
const BLANK_LINE = `${' '.repeat(1_023)}\n`;

/**
 * Lines of a file that always has room for more behind them, as blank lines which they write over: so the last word of
 * what began while there was space can be written when there is none.
 */
export class ReservedLineFile {
  readonly #name: string;
  readonly #descriptor: number;
  #endsAtBytes: number;
  #sizeBytes: number;
  #isOpen = true;

  /** @param lines what it begins with; what was there before is replaced. @throws Failure it cannot be written */
  constructor(name: string, lines: string) {
    this.#name = name;
    const text = lines + blank(ROOM_BYTES);
    writeText(name, text);
    this.#descriptor = this.#orFailure(() => openSync(name, 'r+'));
    this.#endsAtBytes = Buffer.byteLength(lines);
    this.#sizeBytes = Buffer.byteLength(text);
  }

  /** A line that was written in part is written over by the next. @throws Failure it cannot be written */
  append(line: string): void {
    const endsAtBytes = this.#write(line, this.#endsAtBytes);
    this.#sizeBytes = Math.max(this.#sizeBytes, endsAtBytes);
    this.#endsAtBytes = endsAtBytes;
  }

  /** @throws Failure not all lines are on the disk */
  sync(): void {
    this.#orFailure(() => fsyncSync(this.#descriptor));
  }

  /** Nothing more is written: what tries all the same fails, and does not find another file under this one's number. */
  close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }

  /** Makes as much room again as there should be, and looks whether more could be had. @throws Failure it cannot */
  reserve(): void {
    const sizeBytes = Math.max(this.#sizeBytes, this.#endsAtBytes + ROOM_BYTES);
    try {
      this.#write(blank(sizeBytes - this.#sizeBytes + SPARE_BYTES), this.#sizeBytes);
      this.#sizeBytes = sizeBytes;
    } finally {
      this.#orFailure(() => ftruncateSync(this.#descriptor, this.#sizeBytes));
    }
  }

  /** @returns where it ends */
  #write(text: string, atBytes: number): number {
    const bytes = Buffer.from(text);
    return this.#orFailure(() => {
      let at = 0;
      while (at < bytes.length) at += writeSync(this.#descriptor, bytes, at, bytes.length - at, atBytes + at);
      return atBytes + at;
    });
  }

  #orFailure<T>(act: () => T): T {
    if (!this.#isOpen) throw new Failure(`cannot write ${this.#name}: it is closed`);
    return orFailure(`cannot write ${this.#name}`, act);
  }
}

function blank(bytes: number): string {
  return BLANK_LINE.repeat(Math.ceil(bytes / BLANK_LINE.length));
}
