import type { Nanos } from '../../core/units.ts';
import { Failure } from '../../platform/failure.ts';
import { Processors } from '../../sched/processors.ts';
import type { HeartbeatAddress, Hello } from '../../transport/hello.ts';
import type { Retired } from '../../transport/payloads.ts';
import { progressOf } from '../../workload/program-machine.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import { GuestThread } from './guest-thread.ts';

/** What a guest is, wherever it lives: enough to give it a place here, or to tell a destination of it. */
export interface GuestDefinition {
  readonly guest: GuestSpec;
  readonly heartbeats: HeartbeatAddress | null;
  /** What is reserved for it, and who keeps that. */
  readonly reservation: Hello['reservation'];
}

/** Something that takes its time is being done with a guest, and nothing else may be meanwhile. */
const claims = {
  arriving: 'is still arriving',
  leaving: 'is being migrated already',
  ending: 'is being ended',
  changing: 'is being paused or resumed',
  unsettled: 'may run at its destination: the commit was sent and not answered; settle that first',
} as const;
export type Claim = keyof typeof claims;

/**
 * A guest that lives in this process, whether it was booted here or has arrived: its thread, its memory and its
 * share of a processor. Whoever wants to do something with it claims it first.
 */
export class GuestInstance {
  readonly definition: GuestDefinition;
  readonly cpu: Processors;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
  readonly #thread: GuestThread;
  #left: () => void = () => {};
  /** The guest time at which it stands; undefined: it runs. */
  #standsAtNs: Nanos | undefined = 0;
  #claim: Claim | undefined;

  /** @param left called once, when it has ended */
  constructor(place: GuestDefinition, cpu: Processors, thread: GuestThread, left: () => void = () => {}) {
    this.definition = place;
    this.cpu = cpu;
    this.#thread = thread;
    this.gone = new Promise((resolve) => {
      this.#left = () => {
        left();
        resolve();
      };
    });
  }

  /**
   * A guest on a processor of its own, standing: booted, or over empty memory that a migration will fill. It is
   * arriving until it is taken over.
   * @throws Failure there is no memory for it. @throws Refusal no such reservation is to be had
   */
  static async settle(
    place: GuestDefinition,
    how: 'boot' | 'empty',
    left: () => void,
  ): Promise<GuestInstance> {
    const { guest, heartbeats, reservation } = place;
    const cpu = await Processors.start({
      scheduler: reservation?.scheduler ?? 'none',
      entities: [{ name: 'guest', reservation, processor: 0 }],
      hogs: [],
      reclaim: false,
    });
    let thread: GuestThread | undefined;
    try {
      thread = await GuestThread[how](guest, heartbeats, cpu.threadDataOf('guest'));
      await cpu.admitted();
      const instance = new GuestInstance(place, cpu, thread, left);
      instance.claim('arriving');
      return instance;
    } catch (cause) {
      await Promise.all([thread?.end(), cpu.end()]);
      throw cause;
    }
  }

  get name(): string {
    return this.definition.guest.name;
  }

  get memory(): SharedArrayBuffer {
    return this.#thread.memory;
  }

  get log(): GuestThread['log'] {
    return this.#thread.log;
  }

  get isPaused(): boolean {
    return this.#standsAtNs !== undefined;
  }

  /** What is being done with it. */
  get claimed(): Claim | undefined {
    return this.#claim;
  }

  get progress(): { readonly steps: number; readonly heartbeats: number } {
    return progressOf(this.memory);
  }

  /** @throws Failure something else is being done with it. */
  claim(claim: Claim): void {
    if (this.#claim) throw new Failure(`guest '${this.name}' ${claims[this.#claim]}`);
    this.#claim = claim;
  }

  /** It was leaving, and nobody can say whether it has. */
  becomesUnsettled(): void {
    this.#claim = 'unsettled';
  }

  release(): void {
    this.#claim = undefined;
  }

  /** Stops it between two steps, unless it stands. @returns when, by the host's clock and by its own */
  async pause(): Promise<{ readonly atNs: Nanos; readonly guestTimeNs: Nanos } | undefined> {
    if (this.#standsAtNs !== undefined) return undefined;
    const standing = await this.#thread.pause();
    this.#standsAtNs = standing.guestTimeNs;
    return standing;
  }

  /** The guest time at which it stands. */
  get guestTimeNs(): Nanos {
    return this.#standsAtNs!;
  }

  /** Runs on from where it stands, or from another guest time. */
  async run(guestTimeNs = this.#standsAtNs): Promise<void> {
    if (guestTimeNs === undefined) return;
    await this.#thread.run(guestTimeNs);
    this.#standsAtNs = undefined;
  }

  /** It is complete, and this process's. */
  async takeOver(guestTimeNs: Nanos, paused: boolean): Promise<void> {
    this.#standsAtNs = guestTimeNs;
    if (!paused) await this.run();
    this.release();
  }

  /** Stops it for good and says how far it came. @throws Failure something else is being done with it. */
  async retire(): Promise<Retired> {
    this.claim('ending');
    await this.pause();
    return { ...this.progress, sha256: await this.hash() };
  }

  /** SHA-256 of all memory. It must stand. */
  hash(): Promise<string> {
    return this.#thread.hash();
  }

  /** Makes steps, as fast as they go, up to so many since it was booted. It must stand. */
  async advance(steps: number): Promise<void> {
    await this.#thread.advance(steps);
  }

  /** Ends it, whatever it does. */
  async end(): Promise<void> {
    this.#claim = 'ending';
    await Promise.all([this.#thread.end(), this.cpu.end()]);
    this.#left();
  }
}
