import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { UsageError } from '../../platform/problem.ts';
import { lives, processSchema, thisProcess } from '../../platform/process-identity.ts';

/** Only one process at a time: a file that names it, and that is nobody's once the process is gone. */
export class Lock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** @throws UsageError another process that lives has it. */
  static take(file: string): Lock {
    const holder = holderOf(file);
    if (holder !== undefined && holder !== 'gone') {
      throw new UsageError([
        { path: file, expected: 'a folder that no other sweep is using', found: holder },
      ]);
    }
    if (holder === 'gone') rmSync(file, { force: true });
    try {
      const descriptor = openSync(file, 'wx');
      writeFileSync(descriptor, JSON.stringify(thisProcess()));
      closeSync(descriptor);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      throw new UsageError([
        {
          path: file,
          expected: 'a folder that no other sweep is using',
          found: 'another sweep, started just now',
        },
      ]);
    }
    return new Lock(file);
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }
}

/** Who has it. `gone`: a process that lives no more; `undefined`: nobody. */
function holderOf(file: string): string | undefined {
  try {
    const holder = processSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return lives(holder) === false ? 'gone' : `process ${holder.pid} on ${holder.host}`;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'gone';
  }
}
