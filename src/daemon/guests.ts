import { formatSize } from '../core/units.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { makeFolders } from '../platform/paths.ts';
import { type Recovery, recover } from '../transport/recover.ts';
import type { Settlement } from '../transport/settlement.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { Host } from '../worlds/threads/host.ts';
import { NotAdmitted } from './admission.ts';
import type { Configuration } from './configuration.ts';
import type { EventLog, Past } from './event-log.ts';
import type { Events } from './events.ts';
import { type Fate, fateOf } from './fate.ts';
import type { MachineGuests } from './machine-guests.ts';
import { NotFound } from './refusals.ts';
import type { GuestView } from './view-schemas.ts';

/** The guests of this daemon: those that live here, and those that an earlier process had when it was killed. */
export class Guests {
  readonly #host: Host;
  readonly #machines: MachineGuests;
  readonly #eventLog: EventLog;
  readonly #events: Events;
  readonly #died = new Map<string, GuestView>();
  #known: ReadonlyMap<string, GuestDefinition> = new Map();

  constructor(host: Host, machines: MachineGuests, eventLog: EventLog, events: Events) {
    this.#host = host;
    this.#machines = machines;
    this.#eventLog = eventLog;
    this.#events = events;
  }

  /**
   * Says what became of the guests of the process before this one, and boots what the configuration names and nobody
   * else may have: not what has left, and not what may run at its destination.
   */
  async begin(
    { guests, limits }: Configuration,
    settlements: readonly Settlement[],
    log: (line: string) => void,
  ): Promise<void> {
    const { past } = this.#eventLog;
    for (const [name, guest] of past.guests) {
      const view = deadView(guest, fateOf(name, settlements));
      this.#died.set(name, view);
      // The next process finds the journals closed, and must not boot it either.
      if (view.owner !== 'here') this.#eventLog.write({ kind: 'guest', event: 'left', name });
      log(
        `guest '${name}' was here when this daemon ended without warning; owner: ${view.owner}; ${view.why}`,
      );
    }
    for (const { guest, found, owner } of settlements) {
      if (found.source || owner !== 'destination' || past.guests.has(guest)) continue;
      log(`guest '${guest}' had just arrived when this daemon ended without warning, and ended with it`);
    }
    const elsewhere = (name: string) => past.gone.has(name) || fateOf(name, settlements).owner !== 'source';
    for (const toBoot of guests) {
      const { name } = toBoot.guest;
      if (elsewhere(name)) log(`guest '${name}' is not booted: it has left, or may run elsewhere`);
      else
        await this.boot(toBoot, limits).catch((cause) =>
          log(`guest '${name}' is not booted: ${reasonOf(cause)}`),
        );
    }
  }

  /** What is told of has been written down. */
  list(): readonly GuestView[] {
    this.#writeDown();
    const alive = this.#host.guests().map(({ definition, ...guest }): GuestView => {
      const { guest: spec, reservation } = definition;
      const what = { kind: 'threads', program: spec.program.kind, reservation } as const;
      return { ...guest, ...what, owner: 'here', why: null };
    });
    const here = [...alive, ...this.#machines.views];
    const names = new Set(here.map(({ name }) => name));
    return [...here, ...[...this.#died.values()].filter(({ name }) => !names.has(name))];
  }

  /** @throws NotFound */
  get(name: string): GuestView {
    const found = this.list().find((guest) => guest.name === name);
    if (found) return found;
    throw new NotFound(`no guest '${name}' here`);
  }

  /** What a guest is that lives in this process. @throws NotFound @throws Failure it is a machine of QEMU */
  placeOf(name: string): GuestDefinition {
    const found = this.#host.guests().find((guest) => guest.name === name);
    if (found) return found.definition;
    if (this.#machines.has(name)) throw new Failure(notForeseen(name));
    throw new NotFound(`no guest '${name}' lives here`);
  }

  /**
   * @throws NotAdmitted there is no room for it, or none to write it down
   * @throws Failure the name is taken
   * @throws Refusal no such reservation is to be had
   */
  async boot(
    { guest, reservation }: GuestDefinition,
    { guests, guestMemoryBytes }: Configuration['limits'],
  ): Promise<void> {
    this.#eventLog.insistOnRoom();
    this.#machines.insistOnOther(guest.name);
    const here = this.#host.guests();
    const bytes = [...here, guest].reduce((sum, { pages, pageSizeBytes }) => sum + pages * pageSizeBytes, 0);
    if (here.length >= guests || bytes > guestMemoryBytes) {
      const most = `${guests} guests with ${formatSize(guestMemoryBytes)}`;
      throw new NotAdmitted('memory', `no room: at most ${most}, says the configuration`);
    }
    await this.#host.boot({ guest, reservation });
    this.#died.delete(guest.name);
    this.look();
  }

  /** @throws NotFound @throws Failure it cannot be paused or resumed, and why */
  async change(name: string, change: 'pause' | 'resume'): Promise<GuestView> {
    if (this.#machines.has(name)) await this.#machines.change(name, change);
    else {
      this.placeOf(name);
      await this.#host[change](name);
    }
    this.look();
    return this.get(name);
  }

  /** A guest that lives here ends; of one that died, nothing is said any more. @throws Failure it is a machine of QEMU */
  async remove(name: string): Promise<void> {
    if (this.#machines.has(name)) throw new Failure(notOurs(name));
    if (this.#died.delete(name)) this.#eventLog.write({ kind: 'guest', event: 'died', name });
    else {
      this.placeOf(name);
      await this.#host.remove(name);
      this.#eventLog.write({ kind: 'guest', event: 'removed', name });
      this.#known = new Map([...this.#known].filter(([other]) => other !== name));
    }
    this.look();
  }

  /** Something may have changed: tells those who watch. */
  look(): void {
    this.#events.publish({ kind: 'guests', value: this.list() });
  }

  /** This process ends as it was asked to: its guests end with it, and nobody need wonder. */
  ended(): void {
    for (const name of this.#known.keys()) this.#eventLog.write({ kind: 'guest', event: 'died', name });
  }

  /** Compares who is here with who was. */
  #writeDown(): void {
    const arrived = this.#host.guests().filter(({ state }) => state !== 'arriving');
    const here = new Map(arrived.map(({ name, definition }) => [name, definition]));
    for (const [name, guest] of here) {
      if (this.#known.has(name)) continue;
      this.#died.delete(name);
      this.#eventLog.write({ kind: 'guest', event: 'arrived', guest });
    }
    for (const name of this.#known.keys()) {
      if (!here.has(name)) this.#eventLog.write({ kind: 'guest', event: 'left', name });
    }
    this.#known = here;
  }
}

/**
 * What the journals say of the migrations that the process before this one was at: also of those that have ended, and of
 * which only this could not be written down any more.
 */
export function settledBefore(journals: string, { unfinished }: Past): Promise<Recovery> {
  makeFolders(journals);
  return recover([journals], [], [...unfinished.keys()]);
}

/** Why nothing is computed of a machine. */
function notForeseen(name: string): string {
  return `guest '${name}' is a machine of QEMU: it does not live in this process`;
}

function notOurs(name: string): string {
  return `guest '${name}' is a machine of QEMU: whoever has started it ends it`;
}

const whose = { source: 'here', destination: 'elsewhere', nobody: 'unknown' } as const;

function deadView({ guest, reservation }: GuestDefinition, { owner, why }: Fate): GuestView {
  const { name, pages, pageSizeBytes, program } = guest;
  const spec = { name, kind: 'threads', pages, pageSizeBytes, program: program.kind, reservation } as const;
  return { ...spec, state: 'died', steps: 0, heartbeats: 0, owner: whose[owner], why };
}
