import { Failure } from '../platform/failure.ts';
import { WorkerThread } from '../platform/worker-thread.ts';
import { restoreLeft } from '../qemu/borrowed-settings.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { MachineGuests } from './machine-guests.ts';
import type { RehearsalMethods } from './rehearsal-worker.ts';

/** One that goes on. */
interface UnderWay {
  readonly thread: WorkerThread<RehearsalMethods>;
  readonly ended: Promise<unknown>;
}

/** Rehearses machines, to know what their programs write. Each rehearsal has a thread of its own. */
export class Rehearsals {
  readonly #machines: MachineGuests;
  readonly #journals: string;
  /** By the id of who asked. */
  readonly #underWay = new Map<string, UnderWay>();
  #hasEnded = false;

  /** @param journals the folder where is written down what whoever comes after this process must know */
  constructor(machines: MachineGuests, journals: string) {
    this.#machines = machines;
    this.#journals = journals;
  }

  /**
   * @param id by which it can be cancelled
   * @throws NotFound no such machine
   * @throws Failure it cannot be rehearsed, and why; it was cancelled. Its settings are as before
   */
  async rehearse(id: string, guest: string): Promise<GuestDefinition> {
    const machine = await this.#machines.movable(guest);
    if (this.#hasEnded) throw new Failure('this daemon is about to end');
    const giveBack = await machine.borrow('rehearsing');
    const thread = new WorkerThread<RehearsalMethods>('rehearsal', 'daemon/rehearsal-worker', undefined);
    const rehearsed = thread.call('rehearse', guest, machine.socket, this.#journals);
    this.#underWay.set(id, { thread, ended: rehearsed.catch(() => {}) });
    try {
      return await rehearsed;
    } finally {
      this.#underWay.delete(id);
      await thread.end();
      // A thread that has died in the middle has left as much behind as a process.
      await restoreLeft(this.#journals);
      await giveBack();
    }
  }

  /** Nobody waits for it any more. */
  cancel(id: string): void {
    this.#underWay.get(id)?.thread.tell('interrupt');
  }

  /** The daemon is about to end: what goes on is cancelled. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    const all = [...this.#underWay.values()];
    for (const { thread } of all) thread.tell('interrupt');
    await Promise.all(all.map(({ ended }) => ended));
  }
}
