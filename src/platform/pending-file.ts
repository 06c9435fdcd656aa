import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure, orFailure } from './failure.ts';
import { syncFolder } from './paths.ts';

/**
 * A file that is there whole or not at all: it is written beside its place, and takes it once it is on the disk. Only a
 * regular file is replaced, and keeps its owner and mode; a symbolic link leads to what is replaced; a device or a pipe is
 * written to as it is. Opened at once, so that an hour of work does not end with a refusal.
 */
export class PendingFile {
  readonly #file: string;
  /** Undefined: what is there is written to, and there is nothing to rename or to remove. */
  readonly #place: { readonly target: string; readonly partial: string } | undefined;
  readonly #descriptor: number;
  #isOpen = true;

  /** @throws Failure it cannot be written */
  constructor(file: string) {
    this.#file = file;
    [this.#place, this.#descriptor] = this.#orFailure(() => {
      const found = statSync(file, { throwIfNoEntry: false });
      if (found?.isDirectory()) throw new Failure(`cannot write ${file}: it is a folder`);
      if (found && !found.isFile()) return [undefined, openSync(file, 'w')] as const;
      const target = found ? realpathSync.native(file) : pastLinks(file);
      const partial = `${target}.${randomBytes(4).toString('hex')}.part`;
      return [{ target, partial }, openedLike(found, partial)] as const;
    });
  }

  /** What a library can write to by its name. */
  get path(): string {
    return this.#place?.partial ?? this.#file;
  }

  /** @throws Failure it cannot be written */
  write(content: string | Uint8Array): void {
    // The buffer matters: of a string, Node may write less than all and not say so.
    this.#orFailure(() => writeFileSync(this.#descriptor, Buffer.from(content as string)));
  }

  /** All of it is on the disk, not yet in its place. @throws Failure it is not */
  sync(): void {
    this.#orFailure(() => {
      if (this.#place) fsyncSync(this.#descriptor);
      this.#close();
    });
  }

  /** Once it is on the disk, it takes its place. @throws Failure it cannot */
  keep(): void {
    if (this.#isOpen) this.sync();
    this.#orFailure(() => {
      if (!this.#place) return;
      renameSync(this.#place.partial, this.#place.target);
      syncFolder(dirname(this.#place.target));
    });
  }

  /** Nothing is left of it, unless it has taken its place. */
  drop(): void {
    if (this.#isOpen) this.#close();
    if (this.#place) rmSync(this.#place.partial, { force: true });
  }

  #close(): void {
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }

  #orFailure<T>(act: () => T): T {
    return orFailure(`cannot write ${this.#file}`, act);
  }
}

/** Writes files that take their places once all are on the disk. @throws Failure one cannot be written; then none does */
export function writeWhole(files: Iterable<readonly [file: string, write: (to: PendingFile) => void]>): void {
  const written: PendingFile[] = [];
  try {
    for (const [file, write] of files) {
      const pending = new PendingFile(file);
      written.push(pending);
      orFailure(`cannot write ${file}`, () => write(pending));
      pending.sync();
    }
    for (const pending of written) pending.keep();
  } catch (cause) {
    for (const pending of written) pending.drop();
    throw cause;
  }
}

/** A new file, which whoever could use the other can use. */
function openedLike(other: Stats | undefined, file: string): number {
  const descriptor = openSync(file, 'wx');
  if (!other) return descriptor;
  try {
    if (process.getuid?.() === 0) fchownSync(descriptor, other.uid, other.gid);
    fchmodSync(descriptor, other.mode);
    return descriptor;
  } catch (cause) {
    closeSync(descriptor);
    rmSync(file, { force: true });
    throw cause;
  }
}

/** The name to which symbolic links lead where nothing is there yet. */
function pastLinks(file: string): string {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) return file;
  return pastLinks(resolve(realpathSync.native(dirname(file)), readlinkSync(file)));
}
