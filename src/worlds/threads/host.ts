import { type CpuPlan, isHog, schedEntities } from '../../core/cpu/cpu-plan.ts';
import type { End } from '../../core/wire/handover.ts';
import { Failure } from '../../platform/failure.ts';
import { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import { Interruption } from '../../transport/interruption.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { GuestDefinition, GuestInstance } from './guest-instance.ts';
import { GuestInstances } from './guest-instances.ts';
import { leaving } from './migration-hooks.ts';
import { OutgoingMigration } from './outgoing-migration.ts';
import { ThreadsDestination, type ThreadsDestinationOptions } from './threads-destination.ts';

/** A guest that lives here, as it is at this moment. */
export interface GuestStatus {
  readonly name: string;
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** `unsettled`: it stands because it may run at its destination. */
  readonly state: 'running' | 'paused' | 'arriving' | 'leaving' | 'unsettled';
  /** Since it was booted, wherever it ran. */
  readonly steps: number;
  readonly heartbeats: number;
  /** What it is, wherever it lives. */
  readonly definition: GuestDefinition;
}

/** How a guest is booted beyond what it is. */
export interface BootOptions extends Partial<Omit<GuestDefinition, 'guest'>> {
  /** It stands until it is resumed. */
  readonly paused?: boolean;
}

/**
 * A host: guests live here beyond any one migration. They are booted or arrive, run, are paused and resumed, and leave.
 * A guest that has arrived can be migrated on: its state lies in its pages.
 */
export class Host {
  readonly #options: ThreadsDestinationOptions;
  readonly #destination: ThreadsDestination;
  readonly #guests: GuestInstances;
  /** By guest: migrations away from here that have begun, or were left unsettled. */
  readonly #departing = new Map<string, Departing>();

  private constructor(
    options: ThreadsDestinationOptions,
    destination: ThreadsDestination,
    guests: GuestInstances,
  ) {
    this.#options = options;
    this.#destination = destination;
    this.#guests = guests;
  }

  /** Takes guests in; they stay. @throws Failure as `Destination.listen` does */
  static async listen(options: ThreadsDestinationOptions): Promise<Host> {
    const guests = new GuestInstances();
    return new Host(options, await ThreadsDestination.listen(options, guests), guests);
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#destination.address;
  }

  guests(): readonly GuestStatus[] {
    return [...this.#guests].map((instance) => {
      const { definition, progress } = instance;
      const { name, pages, pageSizeBytes } = definition.guest;
      return { name, pages, pageSizeBytes, state: stateOf(instance), ...progress, definition };
    });
  }

  /** @throws Failure the name is taken, or there is no room. @throws Refusal no such reservation is to be had */
  async boot(guest: GuestDefinition['guest'], options: BootOptions = {}): Promise<void> {
    const { heartbeats = null, reservation = null, paused = false } = options;
    const instance = await this.#guests.boot({ guest, heartbeats, reservation });
    await instance.takeOver(0, paused);
  }

  /** @throws Failure no such guest, or something else is being done with it. */
  async pause(name: string): Promise<void> {
    await this.#changing(name, (instance) => instance.pause());
  }

  /** @throws Failure no such guest, or something else is being done with it. */
  resume(name: string): Promise<void> {
    return this.#changing(name, (instance) => instance.run());
  }

  /** SHA-256 of a paused guest's memory. @throws Failure it runs, or something else is being done with it */
  hash(name: string): Promise<string> {
    return this.#changing(name, async (instance) => {
      if (!instance.isPaused) throw new Failure(`guest '${name}' runs; pause it first`);
      return instance.hash();
    });
  }

  /** Ends a guest for good. @throws Failure no such guest, or it is on its way, or may be elsewhere. */
  async remove(name: string): Promise<void> {
    const instance = this.#guests.get(name);
    instance.claim('ending');
    await instance.end();
  }

  /**
   * A world in which this guest leaves. On whatever goes wrong it goes on here as it was; a paused guest stays paused,
   * here or there. The world must be closed when the migration has ended.
   * @throws Failure no such guest, it is being migrated already, or the destination cannot be had or refuses it
   */
  async migrate(
    name: string,
    { plan, cpu }: Pick<MigrationSpec, 'plan' | 'cpu'>,
    to: DestinationThere,
  ): Promise<OutgoingMigration> {
    const instance = this.#guests.get(name);
    const { pages } = instance.definition.guest;
    if (plan.pages !== pages)
      throw new Failure(`a plan for ${plan.pages} pages; guest '${name}' has ${pages}`);
    instance.claim('leaving');
    const interruption = new Interruption();
    const begun = this.#depart(instance, { plan, cpu }, to, interruption);
    this.#departing.set(name, { interruption, begun });
    try {
      return await begun;
    } catch (cause) {
      this.#departing.delete(name);
      instance.release();
      throw cause;
    }
  }

  /**
   * Ends this guest's migration; its record will say `cancelled`, and one that is still being set up throws.
   * @returns whether it will end for it; it does not once the guest has been given away
   * @throws Failure it is not being migrated
   */
  cancel(name: string, why = 'cancelled'): boolean {
    return this.#departingOf(name).interruption.raise('cancelled', why);
  }

  /**
   * Ends the uncertainty about an unsettled guest: it goes on here, or is given up here. Only what both journals say
   * (`switchover recover`), or whoever has asked the destination, may be the reason.
   * @throws Failure there is no uncertainty
   */
  async settle(name: string, owner: End): Promise<void> {
    const outgoing = await this.#departingOf(name).begun;
    await outgoing.settle(owner);
    this.#departing.delete(name);
  }

  /** Cancels what can be cancelled, hangs up, and ends every guest. */
  async close(): Promise<void> {
    const departing = [...this.#departing.values()];
    for (const { interruption } of departing) interruption.raise('cancelled', 'its host is closing');
    const begun = await Promise.allSettled(departing.map(({ begun }) => begun));
    await Promise.all(begun.map((migration) => migration.status === 'fulfilled' && migration.value.close()));
    await this.#destination.close();
  }

  async #depart(
    instance: GuestInstance,
    { plan, cpu }: Pick<MigrationSpec, 'plan' | 'cpu'>,
    to: DestinationThere,
    interruption: Interruption,
  ): Promise<OutgoingMigration> {
    const processors = await senderCpu(cpu);
    const forget = async () => {
      if (instance.claimed !== 'unsettled') this.#departing.delete(instance.name);
    };
    try {
      return await OutgoingMigration.begin({
        ...{ instance, plan, cpu, processors, to, interruption, hooks: leaving },
        journals: this.#options.journals,
        parts: [processors, { end: forget }],
      });
    } catch (cause) {
      await processors.end();
      throw cause;
    }
  }

  #departingOf(name: string): Departing {
    const migration = this.#departing.get(name);
    if (migration) return migration;
    throw new Failure(`guest '${name}' is not being migrated`);
  }

  /** Does something with a guest that does not leave it another one's. */
  async #changing<T>(name: string, change: (instance: GuestInstance) => Promise<T>): Promise<T> {
    const instance = this.#guests.get(name);
    instance.claim('changing');
    try {
      return await change(instance);
    } finally {
      instance.release();
    }
  }
}

/** A migration away from here. */
interface Departing {
  readonly interruption: Interruption;
  readonly begun: Promise<OutgoingMigration>;
}

/** The guest has its processor; for its sender, and for hogs that were asked for, there is another. */
function senderCpu(plan: CpuPlan): Promise<Processors> {
  const all = schedEntities({ ...plan, guest: null }).filter(({ name }) => name !== 'guest');
  return Processors.start({
    scheduler: plan.scheduler,
    reclaim: plan.reclaim,
    entities: all.filter((entity) => !isHog(entity)),
    hogs: all.filter(isHog),
  });
}

function stateOf({ claimed, isPaused }: GuestInstance): GuestStatus['state'] {
  if (claimed === 'arriving' || claimed === 'leaving' || claimed === 'unsettled') return claimed;
  if (claimed === 'ending') return 'leaving';
  return isPaused ? 'paused' : 'running';
}
