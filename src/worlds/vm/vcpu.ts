import { readFileSync } from 'node:fs';
import type { Scheduler } from '../../core/cpu/cpu-plan.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import type { Nanos } from '../../core/units.ts';
import { Refusal } from '../../platform/failure.ts';
import { setDeadline, whyRefused } from '../../platform/thread-scheduling.ts';
import type { Qemu } from './qemu.ts';

/**
 * The thread of QEMU that executes a guest. It does not wait for our dispatcher: only the kernel can keep its reservation.
 */
export class Vcpu {
  readonly #thread: number;
  readonly #pid: number;

  private constructor(pid: number, thread: number) {
    this.#pid = pid;
    this.#thread = thread;
  }

  static async of(qemu: Pick<Qemu, 'pid' | 'qmp'>): Promise<Vcpu> {
    const [cpu] = await qemu.qmp.execute<{ 'thread-id': number }[]>('query-cpus-fast');
    return new Vcpu(qemu.pid, cpu!['thread-id']);
  }

  /** @throws Refusal the kernel does not grant it, or somebody else would have to keep it. */
  reserve(reservation: Reservation, scheduler: Scheduler, reclaim: boolean): void {
    if (scheduler !== 'deadline') {
      throw new Refusal(
        `cpu.scheduler ${scheduler}: only the kernel can keep the reservation of a virtual machine; use deadline`,
      );
    }
    const refusal = setDeadline(reservation, { reclaim, thread: this.#thread });
    if (refusal !== undefined) throw new Refusal(`guest: ${whyRefused(refusal, reservation)}`);
  }

  /** CPU time that it has used. */
  usedNs(): Nanos {
    const [ns] = readFileSync(`/proc/${this.#pid}/task/${this.#thread}/schedstat`, 'utf8').split(' ');
    return Number(ns);
  }
}
