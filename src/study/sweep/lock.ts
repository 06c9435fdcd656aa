import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { UsageError } from '../../platform/problem.ts';
import { lives, processSchema, thisProcess } from '../../platform/process-identity.ts';

/**
 * Lets only one process at a time work on something: a file that names it. A file whose process has ended counts as none.
 * @returns what gives it back
 * @throws UsageError a process that still runs has it
 */
export function takeLock(file: string): () => void {
  const refuse = (found: string): never => {
    throw new UsageError([{ path: file, expected: 'a folder that no other sweep is using', found }]);
  };
  const release = () => rmSync(file, { force: true });
  const holder = holderOf(file);
  if (holder === 'gone') release();
  else if (holder !== undefined) refuse(holder);
  try {
    writeFileSync(file, JSON.stringify(thisProcess()), { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') refuse('another sweep, started just now');
    release();
    throw new Failure(`cannot write ${file}: ${reasonOf(cause)}`);
  }
  return release;
}

/** The process that has it. `gone`: one that has ended; `undefined`: none. */
function holderOf(file: string): string | undefined {
  try {
    const holder = processSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return lives(holder) === false ? 'gone' : `process ${holder.pid} on ${holder.host}`;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'gone';
  }
}
