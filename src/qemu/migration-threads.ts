import { readdirSync, readFileSync } from 'node:fs';
import type { Nanos } from '../core/units.ts';
import type { Qmp } from './qmp.ts';

/**
 * The processor time of a QEMU's threads that came after a look: those of a migration that has begun since. Where QEMU is not
 * seen in /proc, in another container or as another user, nothing is known.
 */
export class MigrationThreads {
  readonly #pid: number | undefined;
  readonly #before: ReadonlySet<string>;

  private constructor(pid: number | undefined) {
    this.#pid = pid;
    this.#before = new Set(this.#threads());
  }

  static async before(qmp: Qmp): Promise<MigrationThreads> {
    const [first] = await qmp.execute<readonly { readonly 'thread-id': number }[]>('query-cpus-fast');
    return new MigrationThreads(first && processOf(first['thread-id']));
  }

  /** Undefined: it cannot be known here. */
  usedNs(): Nanos | undefined {
    const added = this.#threads().filter((thread) => !this.#before.has(thread));
    if (added.length === 0) return undefined;
    return added.reduce((sum, thread) => sum + usedBy(`/proc/${this.#pid}/task/${thread}`), 0);
  }

  #threads(): readonly string[] {
    return orNothing(() => readdirSync(`/proc/${this.#pid}/task`)) ?? [];
  }
}

function processOf(thread: number): number | undefined {
  const status = orNothing(() => readFileSync(`/proc/${thread}/status`, 'utf8'));
  const found = /^Tgid:\s+(\d+)$/m.exec(status ?? '');
  return found ? Number(found[1]) : undefined;
}

function usedBy(task: string): Nanos {
  return Number(orNothing(() => readFileSync(`${task}/schedstat`, 'utf8'))?.split(' ')[0] ?? 0);
}

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
