import { readdirSync } from 'node:fs';
import type { Nanos } from '../core/units.ts';
import { threadsOf } from './known-machine.ts';
import { processOf, usedBy } from './qemu-threads.ts';
import type { Qmp } from './qmp.ts';

/**
 * The processor time of a QEMU's threads that came after a look: those of a migration that has begun since. Where QEMU is not
 * seen in /proc, in another container or as another user, nothing is known.
 */
export class MigrationThreads {
  readonly #pid: number | undefined;
  readonly #before: ReadonlySet<number>;

  private constructor(pid: number | undefined) {
    this.#pid = pid;
    this.#before = new Set(this.#threads());
  }

  static async before(qmp: Qmp): Promise<MigrationThreads> {
    const [first] = await threadsOf(qmp);
    return new MigrationThreads(first === undefined ? undefined : processOf(first));
  }

  /** Undefined: it cannot be known here. */
  usedNs(): Nanos | undefined {
    const added = this.#threads().filter((thread) => !this.#before.has(thread));
    if (added.length === 0) return undefined;
    return added.reduce((sum, thread) => sum + (usedBy(this.#pid!, thread) ?? 0), 0);
  }

  #threads(): readonly number[] {
    try {
      return readdirSync(`/proc/${this.#pid}/task`).map(Number);
    } catch {
      return [];
    }
  }
}
