import type { Nanos } from '../../core/units.ts';
import { Failure } from '../../platform/failure.ts';
import { populate } from '../../platform/populate.ts';
import { overShared, sharedSegments } from '../../platform/shared-memory.ts';
import { Processors } from '../../sched/processors.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { Retired } from '../../transport/payloads.ts';
import type { GuestDefinition } from '../../workload/guest-definition.ts';
import { progressOf } from '../../workload/program-machine.ts';
import { usedPages } from '../../workload/programs.ts';
import { GuestThread } from './guest-thread.ts';

/** Something that takes its time is being done with a guest, and nothing else may be meanwhile. */
const claims = {
  arriving: 'is still arriving',
  leaving: 'is being migrated already',
  ending: 'is being removed',
  changing: 'is being paused or resumed',
  unsettled: 'may run at its destination, because the commit was sent and not answered; settle it first',
} as const;
export type Claim = keyof typeof claims;

/** What becomes an instance. */
export interface InstanceOptions {
  readonly definition: GuestDefinition;
  /** Where its heartbeats go, if anywhere. */
  readonly heartbeats: HeartbeatAddress | null;
  /** A new guest, or empty memory that a migration will fill. */
  readonly how: 'boot' | 'empty';
  /** Of the segments in which its memory lies; without, the largest that can be. */
  readonly segmentBytes?: number | undefined;
  /** Called when it has ended. */
  readonly ended?: () => void;
}

/**
 * A guest that lives in this process, whether it was booted here or has arrived: its thread, its memory and its
 * processor. It is claimed for whatever takes time.
 */
export class GuestInstance extends GuestThread {
  readonly definition: GuestDefinition;
  readonly heartbeats: HeartbeatAddress | null;
  readonly processors: Processors;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
  #ended: () => void = () => {};
  #claim: Claim | undefined;

  private constructor(
    { definition, heartbeats, how, ended }: InstanceOptions,
    segments: readonly SharedArrayBuffer[],
    processors: Processors,
  ) {
    super(definition.guest, segments, heartbeats, processors.threadDataOf('guest'), how);
    this.definition = definition;
    this.heartbeats = heartbeats;
    this.processors = processors;
    this.gone = new Promise((resolve) => {
      this.#ended = () => {
        ended?.();
        resolve();
      };
    });
  }

  /** On these processors, paused. @throws Failure there is no memory for it */
  static async start(options: InstanceOptions, processors: Processors): Promise<GuestInstance> {
    const { guest } = options.definition;
    const segments = sharedSegments(guest, options.segmentBytes);
    await populate(overShared(segments, guest).firstPages(usedPages(guest)));
    const instance = new GuestInstance(options, segments, processors);
    await instance.started();
    return instance;
  }

  /**
   * On a processor of its own, paused. It is arriving until it is taken over.
   * @throws Failure there is no memory for it. @throws Refusal no such reservation is to be had
   */
  static async create(options: InstanceOptions): Promise<GuestInstance> {
    const { reservation } = options.definition;
    const processors = await Processors.start({
      scheduler: reservation?.scheduler ?? 'none',
      entities: [{ kind: 'guest', name: 'guest', reservation, processor: 0 }],
      reclaim: false,
    });
    let instance: GuestInstance | undefined;
    try {
      instance = await GuestInstance.start(options, processors);
      await processors.admitted();
      instance.claim('arriving');
      return instance;
    } catch (cause) {
      await Promise.all([instance?.terminate(), processors.end()]);
      throw cause;
    }
  }

  get name(): string {
    return this.definition.guest.name;
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

  /** It was leaving, and it is unknown whether it has left. */
  becomesUnsettled(): void {
    this.#claim = 'unsettled';
  }

  release(): void {
    this.#claim = undefined;
  }

  /** It is complete, and this process's. */
  async takeOver(guestTimeNs: Nanos, paused: boolean): Promise<void> {
    this.pausedAtNs = guestTimeNs;
    if (!paused) await this.run();
    this.release();
  }

  /** Stops it for good and says how far it came. @throws Failure something else is being done with it, or it has ended */
  async retire(): Promise<Retired> {
    this.claim('ending');
    try {
      await this.pause();
      return { ...this.progress, sha256: await this.hash() };
    } catch (cause) {
      await this.end();
      throw cause;
    }
  }

  /** Ends it, whatever it does. */
  async end(): Promise<void> {
    this.#claim = 'ending';
    await Promise.all([this.terminate(), this.processors.end()]);
    this.#ended();
  }
}
