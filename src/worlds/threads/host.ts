import { randomUUID } from 'node:crypto';
import { schedEntitiesBesidesGuest } from '../../core/cpu/cpu-plan.ts';
import type { Owner } from '../../core/migration/migration-result.ts';
import type { End } from '../../core/wire/handover.ts';
import { Failure } from '../../platform/failure.ts';
import { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import type { Credentials } from '../../transport/credentials.ts';
import type { Hello } from '../../transport/hello.ts';
import { Interruption } from '../../transport/interruption.ts';
import { MigrationServer, type MigrationServerOptions } from '../../transport/migration-server.ts';
import type { GuestDefinition } from '../../workload/guest-definition.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { OutgoingMigration, type OutgoingMigrationOptions } from '../outgoing/outgoing-migration.ts';
import type { GuestInstance } from './guest-instance.ts';
import { GuestInstances, type GuestReserve } from './guest-instances.ts';
import { ThreadsSourceGuest } from './threads-source-guest.ts';

export interface HostOptions extends MigrationServerOptions {
  /** Accept only guests of this many pages, of this size; a machine of fixed memory. */
  readonly pages?: number | undefined;
  readonly pageSizeBytes?: number | undefined;
  /** What a guest needs beyond its memory, asked for before it gets a place here. */
  readonly reserve?: GuestReserve;
  /** Of the segments in which the guests' memory lies; without, the largest that can be. */
  readonly segmentBytes?: number;
}

/** A guest that lives here, as it is at this moment. */
export interface GuestStatus {
  readonly name: string;
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** `unsettled`: it is paused because it may run at its destination. */
  readonly state: 'running' | 'paused' | 'arriving' | 'leaving' | 'unsettled';
  /** Since it was booted, wherever it ran. */
  readonly steps: number;
  readonly heartbeats: number;
  /** What it is, wherever it lives. */
  readonly definition: GuestDefinition;
}

/**
 * A host: guests live here beyond any one migration. They are booted or received, run, are paused and resumed, and are
 * migrated to another host. A guest that was received can be migrated on: its state lies in its pages.
 */
export class Host {
  readonly #options: HostOptions;
  readonly #server: MigrationServer;
  readonly #guests: GuestInstances;
  /** By guest: migrations away from here that have begun, or are unsettled. */
  readonly #outgoing = new Map<string, BegunMigration>();

  private constructor(options: HostOptions, server: MigrationServer, guests: GuestInstances) {
    this.#options = options;
    this.#server = server;
    this.#guests = guests;
  }

  /** @throws Failure, Refusal as `MigrationServer.listen` does */
  static async listen(options: HostOptions): Promise<Host> {
    const guests = new GuestInstances(options.reserve, options.segmentBytes);
    const server = await MigrationServer.listen(options, async (hello) => {
      checkSize(hello, options);
      return guests.expect(hello);
    });
    return new Host(options, server, guests);
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#server.address;
  }

  /** See `MigrationServer.renew`. */
  renew(credentials: Credentials): void {
    this.#server.renew(credentials);
  }

  guests(): readonly GuestStatus[] {
    return [...this.#guests].map((instance) => {
      const { definition, progress } = instance;
      const { name, pages, pageSizeBytes } = definition.guest;
      return { name, pages, pageSizeBytes, state: stateOf(instance), ...progress, definition };
    });
  }

  /** @throws Failure the name is taken, or there is no room. @throws Refusal no such reservation is to be had */
  async boot(definition: GuestDefinition, { paused = false } = {}): Promise<void> {
    const instance = await this.#guests.boot(definition);
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
   * Begins to migrate this guest to another host. On whatever goes wrong it goes on here as it was; a paused guest stays paused,
   * here or there. The world must be closed when the migration has ended.
   * @param migration its name in the journals (a UUID)
   * @throws Failure no such guest, it is being migrated already, or the destination cannot be had or refuses it
   */
  async migrate(
    name: string,
    { plan, cpu }: Pick<MigrationSpec, 'plan' | 'cpu'>,
    to: DestinationThere,
    migration: string = randomUUID(),
  ): Promise<OutgoingMigration> {
    const instance = this.#guests.get(name);
    const { pages } = instance.definition.guest;
    if (plan.pages !== pages)
      throw new Failure(`the plan is for ${plan.pages} pages, guest '${name}' has ${pages}`);
    instance.claim('leaving');
    const interruption = new Interruption();
    const begun = this.#begin(instance, { plan, cpu }, { to, migration, interruption });
    this.#outgoing.set(name, { interruption, begun });
    try {
      return await begun;
    } catch (cause) {
      this.#outgoing.delete(name);
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
    return this.#outgoingOf(name).interruption.raise('cancelled', why);
  }

  /**
   * Settles who owns an unsettled guest: it goes on here, or is removed here. The caller must have asked the destination,
   * or read both journals (`switchover recover`).
   * @throws Failure there is no uncertainty
   */
  async settle(name: string, owner: End): Promise<void> {
    const outgoing = await this.#outgoingOf(name).begun;
    await outgoing.settle(owner);
  }

  /** Cancels what can be cancelled, hangs up, and ends every guest. */
  async close(): Promise<void> {
    const outgoing = [...this.#outgoing.values()];
    for (const { interruption } of outgoing) interruption.raise('cancelled', 'the host is closing');
    const begun = await Promise.allSettled(outgoing.map(({ begun }) => begun));
    await Promise.all(begun.map((migration) => migration.status === 'fulfilled' && migration.value.close()));
    this.#server.hangUp();
    await this.#guests.end();
    await this.#server.close();
  }

  async #begin(
    instance: GuestInstance,
    { plan, cpu }: Pick<MigrationSpec, 'plan' | 'cpu'>,
    way: Pick<OutgoingMigrationOptions, 'to' | 'migration' | 'interruption'>,
  ): Promise<OutgoingMigration> {
    // The guest has its processor; for its sender, and for hogs that were asked for, there is another.
    const processors = await Processors.start({ ...cpu, entities: schedEntitiesBesidesGuest(cpu) });
    const released = (owner: Owner) => {
      if (owner !== 'nobody') this.#outgoing.delete(instance.name);
    };
    try {
      const guest = new ThreadsSourceGuest(instance, { plan, cpu, processors, released });
      return await OutgoingMigration.begin(guest, {
        ...{ ...way, plan, parts: [processors] },
        journals: this.#options.journals,
      });
    } catch (cause) {
      await processors.end();
      throw cause;
    }
  }

  #outgoingOf(name: string): BegunMigration {
    const migration = this.#outgoing.get(name);
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
interface BegunMigration {
  readonly interruption: Interruption;
  readonly begun: Promise<OutgoingMigration>;
}

/** @throws Failure this host takes guests of another size only. */
function checkSize({ guest }: Hello, options: HostOptions): void {
  const { pages = guest.pages, pageSizeBytes = guest.pageSizeBytes } = options;
  if (guest.pages === pages && guest.pageSizeBytes === pageSizeBytes) return;
  throw new Failure(
    `a guest of ${guest.pages} pages of ${guest.pageSizeBytes} bytes; expected ${pages} pages of ${pageSizeBytes} bytes`,
  );
}

function stateOf({ claimed, isPaused }: GuestInstance): GuestStatus['state'] {
  if (claimed === 'arriving' || claimed === 'leaving' || claimed === 'unsettled') return claimed;
  if (claimed === 'ending') return 'leaving';
  return isPaused ? 'paused' : 'running';
}
