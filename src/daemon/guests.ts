import type { Owner } from '../core/migration/migration-result.ts';
import { formatSize } from '../core/units.ts';
import { reasonOf } from '../platform/failure.ts';
import { makeFolders } from '../platform/paths.ts';
import { type Recovery, recover } from '../transport/recover.ts';
import type { Settlement } from '../transport/settlement.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { Host } from '../worlds/threads/host.ts';
import { NotAdmitted } from './admission.ts';
import type { Configuration } from './configuration.ts';
import type { EventLog, Past } from './event-log.ts';
import type { Events } from './events.ts';
import { NotFound } from './refusals.ts';
import type { GuestView } from './view-schemas.ts';

/** The guests of this daemon: those that live here, and those that an earlier process had when it was killed. */
export class Guests {
  readonly #host: Host;
  readonly #eventLog: EventLog;
  readonly #events: Events;
  readonly #died = new Map<string, GuestView>();
  #known: ReadonlyMap<string, GuestDefinition> = new Map();

  constructor(host: Host, eventLog: EventLog, events: Events) {
    this.#host = host;
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
      return { ...guest, program: spec.program.kind, reservation, owner: 'here', why: null };
    });
    const names = new Set(alive.map(({ name }) => name));
    return [...alive, ...[...this.#died.values()].filter(({ name }) => !names.has(name))];
  }

  /** @throws NotFound */
  get(name: string): GuestView {
    const found = this.list().find((guest) => guest.name === name);
    if (found) return found;
    throw new NotFound(`no guest '${name}' here`);
  }

  /** What a guest that lives here is. @throws NotFound */
  placeOf(name: string): GuestDefinition {
    const found = this.#host.guests().find((guest) => guest.name === name);
    if (found) return found.definition;
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

  /** @throws NotFound */
  async change(name: string, change: 'pause' | 'resume'): Promise<GuestView> {
    this.placeOf(name);
    await this.#host[change](name);
    this.look();
    return this.get(name);
  }

  /** A guest that lives here ends; of one that died, nothing is said any more. */
  async remove(name: string): Promise<void> {
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

/** Whose a guest was when its process was killed, by what the journals of its migrations say. */
export function fateOf(
  name: string,
  settlements: readonly Settlement[],
): { readonly owner: Owner; readonly why: string } {
  const its = settlements.filter(({ guest, found }) => guest === name && found.source !== null);
  const settlement = its.find(({ owner }) => owner !== 'source') ?? its[0];
  if (!settlement) return { owner: 'source', why: 'it was not being migrated' };
  const { owner, reason } = settlement;
  return { owner: owner === 'nobody yet known' ? 'nobody' : owner, why: reason };
}

/**
 * What the journals say of the migrations that the process before this one was at: also of those that have ended, and of
 * which only this could not be written down any more.
 */
export function settledBefore(journals: string, { unfinished }: Past): Promise<Recovery> {
  makeFolders(journals);
  return recover([journals], [], [...unfinished.keys()]);
}

const whose = { source: 'here', destination: 'elsewhere', nobody: 'unknown' } as const;

function deadView(
  { guest, reservation }: GuestDefinition,
  { owner, why }: ReturnType<typeof fateOf>,
): GuestView {
  const { name, pages, pageSizeBytes, program } = guest;
  const spec = { name, pages, pageSizeBytes, program: program.kind, reservation };
  return { ...spec, state: 'died', steps: 0, heartbeats: 0, owner: whose[owner], why };
}
