import { type CpuPlan, competitors, isHog } from '../../core/cpu/cpu-plan.ts';
import type { End } from '../../core/wire/handover.ts';
import { Failure } from '../../platform/failure.ts';
import { Cpu } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/connect.ts';
import { Interruption } from '../../transport/interruption.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { GuestPlace, Resident } from './guest-instance.ts';
import { Residents } from './guest-instances.ts';
import { leaving } from './migration-hooks.ts';
import { Departure } from './outgoing-migration.ts';
import { Destination, type DestinationOptions } from './threads-destination.ts';

/** A guest that lives here, as it is at this moment. */
export interface ResidentGuest {
  readonly name: string;
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** `unsettled`: it stands because it may run at its destination. */
  readonly state: 'running' | 'paused' | 'arriving' | 'leaving' | 'unsettled';
  /** Since it was booted, wherever it ran. */
  readonly steps: number;
  readonly heartbeats: number;
  /** What it is, wherever it lives. */
  readonly place: GuestPlace;
}

/** How a guest is booted beyond what it is. */
export interface BootOptions extends Partial<Omit<GuestPlace, 'guest'>> {
  /** It stands until it is resumed. */
  readonly paused?: boolean;
}

/**
 * A host: guests live here beyond any one migration. They are booted or arrive, run, are paused and resumed, and leave.
 * A guest that has arrived can be migrated on: its state lies in its pages.
 */
export class Host {
  readonly #options: DestinationOptions;
  readonly #door: Destination;
  readonly #residents: Residents;
  /** By guest: migrations away from here that have begun, or were left unsettled. */
  readonly #journeys = new Map<string, Journey>();

  private constructor(options: DestinationOptions, door: Destination, residents: Residents) {
    this.#options = options;
    this.#door = door;
    this.#residents = residents;
  }

  /** Takes guests in; they stay. @throws Failure as `Destination.listen` does */
  static async listen(options: DestinationOptions): Promise<Host> {
    const residents = new Residents();
    return new Host(options, await Destination.listen(options, residents), residents);
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#door.address;
  }

  guests(): readonly ResidentGuest[] {
    return [...this.#residents].map((resident) => {
      const { place, progress } = resident;
      const { name, pages, pageSizeBytes } = place.guest;
      return { name, pages, pageSizeBytes, state: stateOf(resident), ...progress, place };
    });
  }

  /** @throws Failure the name is taken, or there is no room. @throws Refusal no such reservation is to be had */
  async boot(guest: GuestPlace['guest'], options: BootOptions = {}): Promise<void> {
    const { heartbeats = null, reservation = null, paused = false } = options;
    const resident = await this.#residents.boot({ guest, heartbeats, reservation });
    await resident.takeOver(0, paused);
  }

  /** @throws Failure no such guest, or something else is being done with it. */
  async pause(name: string): Promise<void> {
    await this.#changing(name, (resident) => resident.stand());
  }

  /** @throws Failure no such guest, or something else is being done with it. */
  resume(name: string): Promise<void> {
    return this.#changing(name, (resident) => resident.run());
  }

  /** SHA-256 of a paused guest's memory. @throws Failure it runs, or something else is being done with it */
  hash(name: string): Promise<string> {
    return this.#changing(name, async (resident) => {
      if (!resident.stands) throw new Failure(`guest '${name}' runs; pause it first`);
      return resident.hash();
    });
  }

  /** Ends a guest for good. @throws Failure no such guest, or it is on its way, or may be elsewhere. */
  async remove(name: string): Promise<void> {
    const resident = this.#residents.get(name);
    resident.claim('ending');
    await resident.end();
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
  ): Promise<Departure> {
    const resident = this.#residents.get(name);
    const { pages } = resident.place.guest;
    if (plan.pages !== pages)
      throw new Failure(`a plan for ${plan.pages} pages; guest '${name}' has ${pages}`);
    resident.claim('leaving');
    const interruption = new Interruption();
    const begun = this.#depart(resident, { plan, cpu }, to, interruption);
    this.#journeys.set(name, { interruption, begun });
    try {
      return await begun;
    } catch (cause) {
      this.#journeys.delete(name);
      resident.release();
      throw cause;
    }
  }

  /**
   * Ends this guest's migration; its record will say `cancelled`, and one that is still being set up throws.
   * @returns whether it will end for it; it does not once the guest has been given away
   * @throws Failure it is not being migrated
   */
  cancel(name: string, why = 'cancelled'): boolean {
    return this.#journey(name).interruption.raise('cancelled', why);
  }

  /**
   * Ends the uncertainty about an unsettled guest: it goes on here, or is given up here. Only what both journals say
   * (`switchover recover`), or whoever has asked the destination, may be the reason.
   * @throws Failure there is no uncertainty
   */
  async settle(name: string, owner: End): Promise<void> {
    const departure = await this.#journey(name).begun;
    await departure.settle(owner);
    this.#journeys.delete(name);
  }

  /** Cancels what can be cancelled, hangs up, and ends every guest. */
  async close(): Promise<void> {
    const journeys = [...this.#journeys.values()];
    for (const { interruption } of journeys) interruption.raise('cancelled', 'its host is closing');
    const begun = await Promise.allSettled(journeys.map(({ begun }) => begun));
    await Promise.all(begun.map((journey) => journey.status === 'fulfilled' && journey.value.close()));
    await this.#door.close();
  }

  async #depart(
    resident: Resident,
    { plan, cpu }: Pick<MigrationSpec, 'plan' | 'cpu'>,
    to: DestinationThere,
    interruption: Interruption,
  ): Promise<Departure> {
    const processors = await senderCpu(cpu);
    const forget = async () => {
      if (resident.claimed !== 'unsettled') this.#journeys.delete(resident.name);
    };
    try {
      return await Departure.begin({
        ...{ resident, plan, cpu, processors, to, interruption, onlooker: leaving },
        journals: this.#options.journals,
        parts: [processors, { end: forget }],
      });
    } catch (cause) {
      await processors.end();
      throw cause;
    }
  }

  #journey(name: string): Journey {
    const journey = this.#journeys.get(name);
    if (journey) return journey;
    throw new Failure(`guest '${name}' is not being migrated`);
  }

  /** Does something with a guest that does not leave it another one's. */
  async #changing<T>(name: string, change: (resident: Resident) => Promise<T>): Promise<T> {
    const resident = this.#residents.get(name);
    resident.claim('changing');
    try {
      return await change(resident);
    } finally {
      resident.release();
    }
  }
}

/** A migration away from here. */
interface Journey {
  readonly interruption: Interruption;
  readonly begun: Promise<Departure>;
}

/** The guest has its processor; for its sender, and for hogs that were asked for, there is another. */
function senderCpu(plan: CpuPlan): Promise<Cpu> {
  const all = competitors({ ...plan, guest: null }).filter(({ name }) => name !== 'guest');
  return Cpu.start({
    scheduler: plan.scheduler,
    reclaim: plan.reclaim,
    entities: all.filter((entity) => !isHog(entity)),
    hogs: all.filter(isHog),
  });
}

function stateOf({ claimed, stands }: Resident): ResidentGuest['state'] {
  if (claimed === 'arriving' || claimed === 'leaving' || claimed === 'unsettled') return claimed;
  if (claimed === 'ending') return 'leaving';
  return stands ? 'paused' : 'running';
}
