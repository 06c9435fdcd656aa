import { shareOf } from '../../core/cpu/reservation.ts';
import type { WriteRates } from '../../core/migration/heat.ts';
import type { Outage } from '../../core/migration/migration-result.ts';
import { PageSet } from '../../core/migration/pages.ts';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { sleepNs } from '../../platform/timer.ts';
import type { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import { SenderThread } from '../../transport/sender-thread.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { type GuestSpec, writeRatesOf } from '../../workload/programs.ts';
import type { Completion, DirtyPages, PausedGuest, SourceGuest } from '../outgoing/source-guest.ts';
import { phaseNs } from '../phase.ts';
import type { Vcpu } from './vcpu.ts';
import type { VmGuest } from './vm-guest.ts';
import type { VmSender, VmSenderMemory } from './vm-sender-worker.ts';

/** A virtual machine whose memory is shared with us, and marks nothing: its sender finds out what is dirty. */
export class VmSourceGuest implements SourceGuest {
  readonly guest: GuestSpec;
  readonly sender: SenderThread<VmSender>;
  readonly processors: readonly Processors[];
  readonly notes: string[] = [];
  readonly #spec: MigrationSpec;
  readonly #vmGuest: VmGuest;
  readonly #vcpu: Vcpu;
  #connectedAtNs: Nanos = 0;
  #usedAtConnectNs: Nanos = 0;
  #saved: Promise<Buffer> | undefined;

  /** @param processors those on which the sender is scheduled; the machine's own thread is the kernel's */
  constructor(spec: MigrationSpec, vmGuest: VmGuest, vcpu: Vcpu, processors: Processors) {
    const { machine } = vmGuest;
    this.#spec = spec;
    this.#vmGuest = vmGuest;
    this.#vcpu = vcpu;
    this.guest = spec.guest;
    this.processors = [processors];
    const memory: VmSenderMemory = {
      ram: machine.ram.place,
      pagesAtByte: machine.pagesAtByte,
      deltas: spec.deltas ?? false,
    };
    const thread = processors.threadDataOf('sender');
    this.sender = new SenderThread('worlds/vm/vm-sender-worker', spec, thread, memory);
  }

  async connect(to: DestinationThere, migration: string): Promise<void> {
    const { guest, cpu } = this.#spec;
    const { machine, heartbeats } = this.#vmGuest;
    const reservation = cpu.guest && { ...cpu.guest, scheduler: cpu.scheduler };
    await this.sender.ask('greet', to, { migration, guest, heartbeats, reservation });
    await machine.run();
    await sleepNs(phaseNs(this.#spec));
    this.#connectedAtNs = clockNs();
    this.#usedAtConnectNs = this.#vcpu.usedNs();
  }

  writeRates(): WriteRates {
    return writeRatesOf(this.guest);
  }

  async track(): Promise<void> {
    this.#vmGuest.watchGaps();
  }

  async dirtyPages(take: boolean): Promise<DirtyPages> {
    const { result, atNs } = await this.sender.ask('scan', take);
    return { dirty: new PageSet(this.guest.pages, result), atNs };
  }

  async clear({ words }: PageSet): Promise<void> {
    await this.sender.ask('clear', words);
  }

  async preparePause(): Promise<void> {
    await this.#vmGuest.preparePause?.();
  }

  /** While we scan for what is dirty, QEMU writes down what the machine is beyond its memory. */
  async pause(since: (atNs: Nanos) => void): Promise<PausedGuest> {
    const { machine } = this.#vmGuest;
    // The guest may make its last step until QEMU answers; counted from here, no downtime is too short.
    const atNs = clockNs();
    since(atNs);
    await machine.pause();
    this.#saved = machine.saveState();
    this.#noteShare(atNs);
    return { atNs, guestTimeNs: 0, staysPaused: false };
  }

  deviceState(): Promise<Buffer> {
    return this.#saved!;
  }

  hash(): Promise<string> {
    return this.#vmGuest.machine.hash();
  }

  resume(): Promise<void> {
    return this.#vmGuest.machine.run();
  }

  completed(): Promise<Completion> {
    return this.#vmGuest.completed(async () => (await this.sender.ask('retire')).result);
  }

  outage(): Promise<Outage | null> {
    return this.#vmGuest.outage();
  }

  /** It ends with its migration, whosever it is then. */
  async release(): Promise<void> {}

  /** The kernel keeps no book of periods for us: only how much the guest has had in all. */
  #noteShare(atNs: Nanos): void {
    const reservation = this.#spec.cpu.guest;
    if (!reservation) return;
    const share = (this.#vcpu.usedNs() - this.#usedAtConnectNs) / (atNs - this.#connectedAtNs);
    const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
    this.notes.push(
      `guest: used ${percent(share)} of a processor until the pause; reserved ${percent(shareOf(reservation))}`,
    );
  }
}
