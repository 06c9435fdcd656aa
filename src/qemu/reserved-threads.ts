import { setTimeout as sleep } from 'node:timers/promises';
import type { Reservation } from '../core/cpu/reservation.ts';
import type { KeptForThreads } from '../core/migration/migration-result.ts';
import { type BandwidthGroup, bandwidthFile } from '../platform/bandwidth-group.ts';
import { clockNs } from '../platform/clock.ts';
import { tryDeadline } from '../platform/deadline-trial.ts';
import { Refusal, reasonOf } from '../platform/failure.ts';
import { whyRefused } from '../platform/thread-scheduling.ts';
import { BorrowedThreads } from './borrowed-threads.ts';
import { migrationThread, type QemuThreads, qemuThreads, usedBy } from './qemu-threads.ts';
import type { Qmp } from './qmp.ts';

/** `guest`: each of the machine's processors. `sender`: the thread that sends its migration. */
type Who = KeptForThreads['of'];
export type Reserved = Readonly<Record<Who, Reservation | null>>;

/** So long at most what a process has reserved that has just ended counts (kernel/sched/deadline.c: task_non_contending). */
const STILL_BUSY_MS = 200;
const AGAIN_MS = 5;

interface Kept {
  readonly by: KeptForThreads['by'];
  readonly whyNot: string | null;
  readonly threads: readonly number[];
  readonly usedBeforeNs: number;
  readonly sinceNs: number;
  usedNs: number;
  untilNs: number;
}

/**
 * CPU reservations for the threads of somebody's QEMU, for a while: by SCHED_DEADLINE where the kernel grants it, else by the bandwidth
 * control of its control groups.
 */
export class ReservedThreads {
  readonly #qmp: Qmp;
  readonly #reserved: Reserved;
  readonly #qemu: QemuThreads;
  readonly #borrowed: BorrowedThreads;
  readonly #kept = new Map<Who, Kept>();

  private constructor(qmp: Qmp, reserved: Reserved, qemu: QemuThreads, borrowed: BorrowedThreads) {
    this.#qmp = qmp;
    this.#reserved = reserved;
    this.#qemu = qemu;
    this.#borrowed = borrowed;
  }

  /**
   * Reserves for the machine's processors, and finds out whether there is enough for the thread that will send its migration.
   * @param where the monitor's socket, and the folder in which it is written down what was before
   * @throws Refusal a reservation cannot be had; all is as before
   * @throws Failure another process has reserved for this machine
   */
  static async reserve(
    qmp: Qmp,
    reserved: Reserved,
    { socket, folder }: { readonly socket: string; readonly folder: string },
  ): Promise<ReservedThreads> {
    const qemu = await qemuThreads(qmp).catch((cause) => {
      throw new Refusal(`${socket}: no CPU time can be reserved for it: ${reasonOf(cause)}`);
    });
    const threads = new ReservedThreads(qmp, reserved, qemu, await BorrowedThreads.of(socket, folder));
    try {
      await threads.#begin();
      return threads;
    } catch (cause) {
      await threads.restore();
      throw cause;
    }
  }

  /** The migration has begun: the thread that sends it gets its own. @throws Failure it cannot be had after all */
  async reserveSender(): Promise<void> {
    const { sender } = this.#reserved;
    if (!sender) return;
    const thread = await migrationThread(this.#qmp, this.#qemu.process);
    const until = performance.now() + STILL_BUSY_MS;
    let refusal = this.#borrowed.deadline([thread], sender);
    while (refusal === 'EBUSY' && performance.now() < until) {
      await sleep(AGAIN_MS);
      refusal = this.#borrowed.deadline([thread], sender);
    }
    this.#keep('sender', [thread], refusal);
  }

  /** Notes what they have used. Of threads that have ended, what was noted before counts. */
  look(...whose: readonly Who[]): void {
    for (const who of whose) {
      const kept = this.#kept.get(who);
      const usedNs = kept && this.#used(kept.threads);
      if (!kept || usedNs === undefined) continue;
      kept.untilNs = clockNs();
      kept.usedNs = usedNs - kept.usedBeforeNs;
    }
  }

  /** How each reservation was kept. */
  get kept(): readonly KeptForThreads[] {
    return [...this.#kept].map(([of, { by, whyNot, threads, usedNs, sinceNs, untilNs }]) => ({
      ...{ of, ...this.#reserved[of]!, by, whyNot, threads: threads.length },
      ...{ usedNs, windowNs: untilNs - sinceNs },
    }));
  }

  /** They are scheduled as before. @throws Failure they are not, and it is still written down */
  restore(): Promise<void> {
    return this.#borrowed.restore();
  }

  async #begin(): Promise<void> {
    const { guest, sender } = this.#reserved;
    const trial = sender && (await tryDeadline(sender));
    try {
      // It is only tried: the thread is not there yet. A group that nobody is in goes with the others.
      if (trial?.refusal !== undefined) this.#grouped('sender', this.#qemu.process, trial.refusal);
      if (guest) {
        const { processors } = this.#qemu;
        this.#keep('guest', processors, this.#borrowed.deadline(processors, guest));
      }
    } finally {
      await trial?.end();
    }
  }

  /** @param refusal of SCHED_DEADLINE @throws Refusal neither can be had */
  #keep(of: Who, threads: readonly number[], refusal: string | undefined): void {
    let by: Kept['by'] = 'SCHED_DEADLINE';
    if (refusal !== undefined) {
      for (const thread of threads) {
        const group = this.#grouped(of, thread, refusal);
        this.#orRefused(of, refusal, () => this.#borrowed.enter(group, thread));
        by = bandwidthFile(group);
      }
    }
    const whyNot = refusal === undefined ? null : whyNoDeadline(refusal, this.#reserved[of]!);
    const [usedBeforeNs, sinceNs] = [this.#used(threads) ?? 0, clockNs()];
    this.#kept.set(of, { by, whyNot, threads, usedBeforeNs, sinceNs, usedNs: 0, untilNs: sinceNs });
  }

  /** A group with this budget, in the group of that thread. @throws Refusal neither can be had */
  #grouped(of: Who, thread: number, refusal: string): BandwidthGroup {
    return this.#orRefused(of, refusal, () => this.#borrowed.group(thread, this.#reserved[of]!));
  }

  #orRefused<T>(of: Who, refusal: string, act: () => T): T {
    try {
      return act();
    } catch (cause) {
      const why = `by SCHED_DEADLINE: ${whyNoDeadline(refusal, this.#reserved[of]!)}; by bandwidth control: ${reasonOf(cause)}`;
      throw new Refusal(`${of}.reservation cannot be had ${why}`);
    }
  }

  /** Of all of them together; undefined: one has ended. */
  #used(threads: readonly number[]): number | undefined {
    const used = threads.map((thread) => usedBy(this.#qemu.process, thread));
    return used.every((ns) => ns !== undefined) ? used.reduce((sum, ns) => sum + ns, 0) : undefined;
  }
}

/** kernel/sched/syscalls.c: __sched_setscheduler */
const reasons: Readonly<Record<string, string>> = {
  EPERM:
    'it needs CAP_SYS_NICE, and threads that may run on every processor, which pinned ones may not (EPERM)',
  ENOSYS: 'it needs koffi, to know how they are scheduled before: `npm install koffi`',
  ESRCH: 'the thread has ended',
};

function whyNoDeadline(code: string, reservation: Reservation): string {
  return reasons[code] ?? whyRefused(code, reservation);
}
