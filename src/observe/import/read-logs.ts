import { inputLimits } from '../../core/input-limits.ts';
import { formatSize } from '../../core/units.ts';
import { Failure, reasonOf, TooLarge } from '../../platform/failure.ts';
import { gunzip } from '../../platform/gunzip.ts';
import { type Problem, UsageError } from '../../platform/problem.ts';
import { readBytes } from '../../platform/text-file.ts';
import { formats, type Imported, importTexts, type NamedText } from './formats.ts';

/**
 * What the logs of one migration say, packed by gzip or not.
 * @throws Failure one cannot be read
 * @throws TooLarge
 * @throws UsageError there is nothing readable in any of them
 */
export function readLogs(files: readonly string[]): Imported {
  const { importedFiles } = inputLimits;
  if (files.length > importedFiles) throw new TooLarge('logs', `at most ${importedFiles} files`);
  const texts = files.map((name): NamedText => ({ name, text: readLog(name) }));
  const imported = importTexts(texts);
  if (imported) return imported;
  throw new UsageError(
    texts.map(({ name, text }): Problem => {
      const found = text.trim() === '' ? 'nothing' : JSON.stringify(text.trim().slice(0, 40));
      return {
        path: name,
        expected: `a log of a migration (${formats.map((format) => format.name).join(', ')})`,
        found,
      };
    }),
  );
}

function readLog(file: string): string {
  const bytes = readBytes(file, inputLimits.importedTextBytes);
  return textOf(isPacked(bytes) ? unpacked(bytes, file) : bytes);
}

/** UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell writes what a program prints. */
function textOf(bytes: Buffer): string {
  const [first, second] = bytes;
  return first === 0xff && second === 0xfe ? bytes.toString('utf16le') : bytes.toString('utf8');
}

function isPacked(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Of half a file, the half. */
function unpacked(bytes: Buffer, file: string): Buffer {
  try {
    return gunzip(bytes, inputLimits.importedTextBytes, true);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new TooLarge(file, `at most ${formatSize(inputLimits.importedTextBytes)} unpacked`);
    throw new Failure(`cannot unpack ${file}: ${reasonOf(cause)}`);
  }
}
