import type { Ceiling } from '../core/link/ceiling.ts';
import {
  allowedBytesPerSecond,
  ask,
  changeCapacity,
  emptyLedger,
  isRevoked,
  type Lease,
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
import type { StepListener } from './drive.ts';
import { linkRequest, revokedBecause, tooLate } from './lease-client.ts';
import { carryOutLeased, type LeaseAnswer, type Leased } from './leased.ts';
import type { MigrationRun } from './migration-run.ts';

/** One of several migrations that are carried out at the same time, over one link. */
export interface FleetMember {
  readonly spec: MigrationSpec;
  /** null: its link is its own, and it is the only one. */
  readonly share: LinkShare | null;
  /** Told of every step as it is carried out; of those that share a link in virtual time, when all of them are over. */
  readonly stepped?: StepListener | undefined;
}

type FleetRun = MigrationRun & { readonly admission: Admission };

/** Something that happens to the ledger at an instant. */
interface Event {
  readonly atNs: Nanos;
  readonly change: (ledger: Ledger, now: Nanos) => Ledger;
}

/**
 * Several migrations over one link in virtual time, from one event of the link's ledger to the next. Between two of
 * them the migrations do not touch each other, because each has its own part of the link. So each is carried out as
 * it goes by itself; and if it is allowed less or more on the way, once more from its beginning, which up to that
 * instant comes to the same.
 */
export function* virtualFleet(members: readonly FleetMember[]): Generator<FleetRun> {
  const fleet = members.map((member, index) => new FleetMigration(member, String(index)));
  const { capacityBytesPerSecond, changes } = members[0]!.share!;
  let ledger = emptyLedger(capacityBytesPerSecond);
  // At the same instant, changes of capacity come before requests.
  const known: Event[] = [
    ...changes.map((to) => ({
      atNs: to.atNs,
      change: (before: Ledger, now: Nanos) => changeCapacity(before, to.capacityBytesPerSecond, now),
    })),
    ...fleet.map((migration) => ({
      atNs: migration.request.askedAtNs,
      change: (before: Ledger, now: Nanos) => migration.ask(before, now),
    })),
  ].sort((one, other) => one.atNs - other.atNs);
  let lastNs = 0;
  for (;;) {
    const releases = fleet.map(({ request, releasesAtNs }) => ({
      atNs: releasesAtNs,
      change: (before: Ledger, now: Nanos) => release(before, request.id, now),
    }));
    const events: Event[] = [
      ...releases,
      { atNs: nextEventNs(ledger), change: settle },
      ...known.slice(0, 1),
    ];
    const next = events.reduce((first, event) => (event.atNs < first.atNs ? event : first));
    if (next.atNs === Number.POSITIVE_INFINITY) break;
    if (next === known[0]) known.shift();
    ledger = next.change(ledger, next.atNs);
    for (const migration of fleet) migration.follow(ledger, next.atNs);
    lastNs = next.atNs;
  }
  for (const migration of fleet) migration.isLeftWaiting(lastNs);
  for (const migration of fleet) yield migration.run();
}

/** One member, from its request to its release. */
class FleetMigration {
  readonly request: LinkRequest;
  /** When it gives its lease back, if nothing else happens. */
  releasesAtNs: Nanos = Number.POSITIVE_INFINITY;
  readonly #spec: MigrationSpec;
  readonly #share: LinkShare;
  readonly #revocations: Admission['revocations'][number][] = [];
  #state: 'observing' | 'waiting' | 'migrating' | 'over' = 'observing';
  #ceilings: readonly Ceiling[] = [];
  #leftQueueAtNs: Nanos = 0;
  #grantedBytesPerSecond: BytesPerSecond = 0;
  /** What it may send at now. */
  #allowedBytesPerSecond: BytesPerSecond = 0;
  #releasedAtNs: Nanos = 0;
  readonly #stepped: StepListener | undefined;
  #answer: LeaseAnswer = { waitedNs: 0, refusal: '' };
  #run: Leased['run'] | undefined;

  constructor({ spec, share, stepped }: FleetMember, id: string) {
    this.#spec = spec;
    this.#share = share!;
    this.#stepped = stepped;
    // When it asks does not depend on the answer.
    const { atNs, queueTimeoutNs } = this.#share;
    const askedAtNs = atNs + this.#carryOut(this.#answer).askedAtNs;
    this.request = {
      ...linkRequest(id, spec.plan, this.#share),
      deadlineNs: queueTimeoutNs === null ? null : askedAtNs + queueTimeoutNs,
      askedAtNs,
    };
  }

  ask(ledger: Ledger, now: Nanos): Ledger {
    this.#state = 'waiting';
    return ask(ledger, this.request, now);
  }

  /** Acts on what the ledger says about it after an event at `now`. */
  follow(ledger: Ledger, now: Nanos): void {
    const { id, askedAtNs } = this.request;
    const lease = ledger.leases.find((one) => one.id === id);
    if (this.#state === 'waiting' && lease) {
      this.#state = 'migrating';
      this.#leftQueueAtNs = now;
      this.#grantedBytesPerSecond = lease.isElastic
        ? allowedBytesPerSecond(ledger, lease)
        : lease.grantedBytesPerSecond;
      this.#allowedBytesPerSecond = this.#grantedBytesPerSecond;
      if (lease.isElastic) this.#ceilings = [this.#ceiling(ledger, lease, now)];
      this.#migrate();
    } else if (this.#state === 'waiting' && !ledger.queue.some((one) => one.id === id)) {
      this.#leftQueueAtNs = now;
      const refusal = tooLate(this.#share.queueTimeoutNs);
      this.#carryOut({ waitedNs: now - askedAtNs, refusal });
      this.#end(now);
    } else if (this.#state === 'migrating' && !lease) {
      this.#end(now);
    } else if (
      this.#state === 'migrating' &&
      allowedBytesPerSecond(ledger, lease!) !== this.#allowedBytesPerSecond
    ) {
      this.#allowedBytesPerSecond = allowedBytesPerSecond(ledger, lease!);
      this.#revocations.push({ atNs: now, rateBytesPerSecond: this.#allowedBytesPerSecond });
      this.#ceilings = [...this.#ceilings, this.#ceiling(ledger, lease!, now)];
      this.#migrate();
    }
  }

  /** Nothing more happens: the link carries nothing any more. */
  isLeftWaiting(now: Nanos): void {
    if (this.#state !== 'waiting') return;
    this.#leftQueueAtNs = now;
    const refusal = 'not admitted: the link carries nothing any more';
    this.#carryOut({ waitedNs: now - this.request.askedAtNs, refusal });
    this.#end(now);
  }

  /** What the ledger allows its lease from now on; instants count from when it left the queue. */
  #ceiling(ledger: Ledger, lease: Lease, now: Nanos): Ceiling {
    const rateBytesPerSecond = allowedBytesPerSecond(ledger, lease);
    return {
      fromNs: now - this.#leftQueueAtNs,
      rateBytesPerSecond,
      isOutage: rateBytesPerSecond === 0 && !isRevoked(lease),
      why: revokedBecause(this.#grantedBytesPerSecond, ledger.capacityBytesPerSecond),
    };
  }

  /** Steps are told of by carrying it out once more, so that those of no other try need to be kept. */
  run(): FleetRun {
    if (this.#stepped) carryOutLeased(this.#spec, this.#answer, this.#stepped);
    const { capacityBytesPerSecond } = this.#share;
    const { askedAtNs, priority } = this.request;
    return {
      ...this.#run!,
      admission: {
        capacityBytesPerSecond,
        priority,
        askedAtNs,
        waitedNs: this.#leftQueueAtNs - askedAtNs,
        grantedBytesPerSecond: this.#grantedBytesPerSecond,
        releasedAtNs: this.#releasedAtNs,
        revocations: this.#revocations,
      },
    };
  }

  /** Runs it again with what is known of its reservation so far. */
  #migrate(): void {
    const waitedNs = this.#leftQueueAtNs - this.request.askedAtNs;
    const { heldNs } = this.#carryOut({ waitedNs, ceilings: this.#ceilings });
    this.releasesAtNs = this.#leftQueueAtNs + heldNs;
  }

  #carryOut(answer: LeaseAnswer): Leased {
    const leased = carryOutLeased(this.#spec, answer);
    this.#answer = answer;
    this.#run = leased.run;
    return leased;
  }

  #end(now: Nanos): void {
    this.#state = 'over';
    this.#releasedAtNs = now;
    this.releasesAtNs = Number.POSITIVE_INFINITY;
  }
}
