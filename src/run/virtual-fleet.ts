import type { Ceiling } from '../core/link/ceiling.ts';
import {
  ask,
  changeCapacity,
  emptyLedger,
  type Ledger,
  type LinkRequest,
  nextEventNs,
  release,
  settle,
} from '../core/link/ledger.ts';
import type { Admission } from '../core/migration/record.ts';
import type { BytesPerSecond, Nanos } from '../core/units.ts';
import type { LinkShare } from '../scenario/fleet.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { linkRequest, revokedBecause, tooLate } from './lease-client.ts';
import { type VirtualMigration, virtualMigration, watchingNs } from './virtual-migration.ts';

/** One of several migrations over one link. */
export interface FleetMember {
  readonly setup: MigrationSpec;
  readonly share: LinkShare;
}

/** How one of them went, and how it got its reservation. */
export interface FleetRun extends VirtualMigration {
  readonly admission: Admission;
}

/** Something that happens to the ledger at an instant. */
interface Event {
  readonly atNs: Nanos;
  readonly change: (ledger: Ledger, now: Nanos) => Ledger;
}

/**
 * Several migrations over one link in virtual time, from one event of the link's ledger to the next. Between two of
 * them the migrations do not touch each other, because each has its own part of the link. So each is carried out as
 * it goes by itself; and if some of its reservation is revoked on the way, once more from its beginning, which up to
 * that instant comes to the same.
 */
export function virtualFleet(members: readonly FleetMember[]): readonly FleetRun[] {
  const { capacityBytesPerSecond, changes } = members[0]!.share;
  const fleet = members.map((member, index) => new FleetMigration(member, String(index)));
  let ledger = emptyLedger(capacityBytesPerSecond);
  // At one instant what is free comes before who asks for it.
  const known: Event[] = [
    ...changes.map(({ atNs, capacityBytesPerSecond: capacity }) => ({
      atNs,
      change: (before: Ledger, now: Nanos) => changeCapacity(before, capacity, now),
    })),
    ...fleet.map((migration) => ({
      atNs: migration.request.askedAtNs,
      change: (before: Ledger, now: Nanos) => migration.ask(before, now),
    })),
  ].sort((one, other) => one.atNs - other.atNs);
  for (;;) {
    const leaving = fleet.map(({ request, leavesAtNs }) => ({
      atNs: leavesAtNs,
      change: (before: Ledger, now: Nanos) => release(before, request.id, now),
    }));
    const events: Event[] = [...leaving, { atNs: nextEventNs(ledger), change: settle }, ...known.slice(0, 1)];
    const next = events.reduce((first, event) => (event.atNs < first.atNs ? event : first));
    if (next.atNs === Number.POSITIVE_INFINITY) break;
    if (next === known[0]) known.shift();
    ledger = next.change(ledger, next.atNs);
    for (const migration of fleet) migration.heed(ledger, next.atNs);
  }
  return fleet.map((migration) => migration.outcome());
}

/** A member on its way. */
class FleetMigration {
  readonly request: LinkRequest;
  /** When it gives its lease back, if nothing else happens. */
  leavesAtNs: Nanos = Number.POSITIVE_INFINITY;
  readonly #member: FleetMember;
  readonly #revocations: Admission['revocations'][number][] = [];
  #state: 'watches' | 'waits' | 'moves' | 'is over' = 'watches';
  #ceilings: readonly Ceiling[] = [];
  #leftQueueAtNs: Nanos = 0;
  #granted: BytesPerSecond = 0;
  #releasedAtNs: Nanos = 0;
  #migration: VirtualMigration | undefined;

  constructor(member: FleetMember, id: string) {
    this.#member = member;
    const { setup, share } = member;
    const askedAtNs = share.atNs + watchingNs(setup);
    this.request = {
      ...linkRequest(id, setup.plan, share),
      deadlineNs: share.queueTimeoutNs === null ? null : askedAtNs + share.queueTimeoutNs,
      askedAtNs,
    };
  }

  ask(ledger: Ledger, now: Nanos): Ledger {
    this.#state = 'waits';
    return ask(ledger, this.request, now);
  }

  /** What the ledger means for it after an event at `now`. */
  heed(ledger: Ledger, now: Nanos): void {
    const { id, askedAtNs } = this.request;
    const lease = ledger.leases.find((one) => one.id === id);
    const waitedNs = now - askedAtNs;
    if (this.#state === 'waits' && lease) {
      this.#state = 'moves';
      this.#leftQueueAtNs = now;
      this.#granted = lease.grantedBytesPerSecond;
      this.#move();
    } else if (this.#state === 'waits' && !ledger.queue.some((one) => one.id === id)) {
      this.#leftQueueAtNs = now;
      this.#migration = virtualMigration(this.#member.setup, {
        waitedNs,
        refusal: tooLate(this.#member.share.queueTimeoutNs),
      });
      this.#end(now);
    } else if (this.#state === 'moves' && !lease) {
      this.#end(now);
    } else if (this.#state === 'moves' && lease!.grantedBytesPerSecond < this.#allowed) {
      const rateBytesPerSecond = lease!.grantedBytesPerSecond;
      const why = revokedBecause(this.#granted, ledger.capacityBytesPerSecond);
      this.#revocations.push({ atNs: now, rateBytesPerSecond });
      const fromNs = now - this.#leftQueueAtNs;
      this.#ceilings = [...this.#ceilings, { fromNs, rateBytesPerSecond, why }];
      this.#move();
    }
  }

  outcome(): FleetRun {
    const { capacityBytesPerSecond } = this.#member.share;
    const { askedAtNs, priority } = this.request;
    return {
      ...this.#migration!,
      admission: {
        capacityBytesPerSecond,
        priority,
        askedAtNs,
        waitedNs: this.#leftQueueAtNs - askedAtNs,
        grantedBytesPerSecond: this.#granted,
        releasedAtNs: this.#releasedAtNs,
        revocations: this.#revocations,
      },
    };
  }

  get #allowed(): BytesPerSecond {
    return this.#revocations.at(-1)?.rateBytesPerSecond ?? this.#granted;
  }

  /** With what is known of its reservation by now. */
  #move(): void {
    const waitedNs = this.#leftQueueAtNs - this.request.askedAtNs;
    this.#migration = virtualMigration(this.#member.setup, { waitedNs, ceilings: this.#ceilings });
    this.leavesAtNs = this.#leftQueueAtNs + this.#migration.heldNs;
  }

  #end(now: Nanos): void {
    this.#state = 'is over';
    this.#releasedAtNs = now;
    this.leavesAtNs = Number.POSITIVE_INFINITY;
  }
}
