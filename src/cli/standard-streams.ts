import { fstatSync, writeFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { orFailure } from '../platform/failure.ts';

/** Whoever read standard output reads no more (`| head`): there is nobody to go on for, and nothing to complain of. */
export class ReaderGone extends Error {}

/** A file or a device takes a text at once or says why not. A pipe, a socket and a terminal say so later. */
const saysAtOnce = isFile(1);
let failure: NodeJS.ErrnoException | undefined;

process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

/** A line of the result on standard output. @throws Failure it cannot be written. @throws ReaderGone */
export function print(line: string): void {
  write(`${line}\n`);
}

/** A text of the result on standard output. @throws Failure it cannot be written. @throws ReaderGone */
export function write(text: string | Uint8Array): void {
  insistOnSuccess();
  if (saysAtOnce) orFailure(CANNOT_WRITE, () => writeFileSync(1, Buffer.from(text as string)));
  else
    process.stdout.write(text, (error) => {
      failure ??= error ?? undefined;
    });
}

/** Returns when everything is written: a pipe takes no more than fits it. @throws Failure it is not. @throws ReaderGone */
export async function written(): Promise<void> {
  if (!saysAtOnce) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  insistOnSuccess();
}

const CANNOT_WRITE = 'cannot write standard output';

function insistOnSuccess(): void {
  if (failure?.code === 'EPIPE') throw new ReaderGone();
  orFailure(CANNOT_WRITE, () => {
    if (failure) throw failure;
  });
}

function isFile(descriptor: number): boolean {
  const found = fstatSync(descriptor);
  return found.isFile() || found.isBlockDevice() || (found.isCharacterDevice() && !isatty(descriptor));
}
