import type { Ceiling } from '../core/link/ceiling.ts';
import {
  allowedBytesPerSecond,
  ask,
  claim,
  demandOf,
  impossible,
  isRevoked,
  type Lease,
  type Ledger,
  type LinkRequest,
  leaseOf,
  release,
  renew,
  settle,
} from '../core/link/ledger.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Admission } from '../core/migration/record.ts';
import { type BytesPerSecond, formatDuration, formatRate, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { reasonOf } from '../platform/failure.ts';
import type { LinkShare } from '../scenario/fleet.ts';

export type LedgerChange = (ledger: Ledger, now: Nanos) => Ledger;

/** Where the ledger of a link is kept. Changes are atomic: each sees all earlier ones. */
export interface LedgerStore {
  /** @throws Failure it cannot be reached */
  update(change: LedgerChange): Promise<{ readonly ledger: Ledger; readonly now: Nanos }>;
  /** Waits until the ledger may differ from the one that was seen, or until the signal. */
  changedSince(seen: Ledger, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A request for a reservation of a link, and how long it may wait; null: without limit. */
export interface LeaseRequest extends Omit<LinkRequest, 'askedAtNs' | 'deadlineNs'> {
  readonly queueTimeoutNs: Nanos | null;
}

/** The request of a migration. Both of its rates are limited. */
export function linkRequest(
  id: string,
  { rateBytesPerSecond, stopRateBytesPerSecond, isElastic }: Plan,
  { leastBytesPerSecond, priority }: LinkShare,
): Omit<LinkRequest, 'askedAtNs' | 'deadlineNs'> {
  if (isElastic) {
    const nothing = { rateBytesPerSecond: 0, stopRateBytesPerSecond: 0, leastBytesPerSecond: 0 };
    return { id, ...nothing, priority, isElastic };
  }
  return {
    id,
    rateBytesPerSecond: rateBytesPerSecond!,
    stopRateBytesPerSecond: stopRateBytesPerSecond!,
    leastBytesPerSecond,
    priority,
  };
}

/** A lease is renewed when less than so much of its time to live is left. */
const RENEWED_AT = 2 / 3;

/**
 * Reserves a link for one migration: waits for the reservation, renews it and gives it back. It does not wait if the
 * ledger already has a lease with its id.
 */
export class LeaseClient {
  readonly #store: LedgerStore;
  readonly #request: LeaseRequest;
  readonly #allowed: (ceilings: readonly Ceiling[]) => void;
  readonly #revocations: Admission['revocations'][number][] = [];
  #capacity: BytesPerSecond = 0;
  /** undefined: it has not asked yet. */
  #askedAtNs: Nanos | undefined;
  /** undefined: it has not left it, or never entered it. */
  #leftQueueAtNs: Nanos | undefined;
  /** When the ledger was last seen, on its clock, and just before that, on this host's. */
  #seenAtNs: Nanos = 0;
  #calledAtNs: Nanos = 0;
  #granted: BytesPerSecond = 0;
  /** What it may send at now, as the ledger was last seen. */
  #allowedNow: BytesPerSecond = 0;
  /** As it was last seen, and in which epoch of the ledger. */
  #lease: Lease | undefined;
  #epoch: string | null = null;
  readonly #notes: string[] = [];
  #timeToLiveNs: Nanos = Number.POSITIVE_INFINITY;
  /** On this host's clock, and not later than in the ledger. */
  #expiresAtNs: Nanos = Number.POSITIVE_INFINITY;
  #keeping: Promise<void> = Promise.resolve();
  readonly #waiting = new AbortController();
  readonly #holding = new AbortController();

  /** @param allowed is told what the link allows whenever that changes; its instants count from the call */
  constructor(store: LedgerStore, request: LeaseRequest, allowed: (ceilings: readonly Ceiling[]) => void) {
    this.#store = store;
    this.#request = request;
    this.#allowed = allowed;
  }

  /**
   * Waits until the reservation is there, and keeps it from then on.
   * @returns why it was refused; undefined: it was granted
   * @throws Failure the ledger cannot be reached
   */
  async admit(): Promise<string | undefined> {
    let refusal: string | undefined;
    const { queueTimeoutNs, ...wanted } = this.#request;
    let request: LinkRequest | undefined;
    let ledger = await this.#update((before, now) => {
      if (leaseOf(before, wanted.id)) return settle(before, now);
      const deadlineNs = queueTimeoutNs === null ? null : now + queueTimeoutNs;
      request = { ...wanted, askedAtNs: now, deadlineNs };
      refusal = impossible(before, request);
      return refusal === undefined ? ask(before, request, now) : before;
    });
    this.#askedAtNs = leaseOf(ledger, wanted.id)?.askedAtNs ?? this.#seenAtNs;
    this.#capacity = ledger.capacityBytesPerSecond;
    const { signal } = this.#waiting;
    while (!signal.aborted && ledger.queue.some(({ id }) => id === wanted.id)) {
      await this.#store.changedSince(ledger, signal);
      ledger = await this.#update((before, now) =>
        this.#isForgottenBy(before) ? ask(before, request!, now) : settle(before, now),
      );
    }
    const lease = leaseOf(ledger, wanted.id);
    this.#leftQueueAtNs = lease?.grantedAtNs ?? this.#seenAtNs;
    if (!lease) return refusal === undefined ? tooLate(queueTimeoutNs) : `not admitted: ${refusal}`;
    this.#granted = lease.isElastic ? allowedBytesPerSecond(ledger, lease) : demandOf(lease);
    this.#allowedNow = this.#granted;
    this.#lease = lease;
    this.#timeToLiveNs = ledger.timeToLiveNs ?? Number.POSITIVE_INFINITY;
    // An elastic one has to be told what it has; any other, what is not its whole reservation.
    if (lease.isElastic) this.#allow();
    this.#heed(ledger);
    this.#keeping = this.#keep(ledger);
    return undefined;
  }

  /** Makes `admit` return although there is no reservation yet. */
  stopWaiting(): void {
    this.#waiting.abort();
  }

  /** What a reader of the record must know of how the reservation was kept. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /**
   * Gives back the reservation. If that fails, it expires.
   * @returns how it was obtained and used; null: the ledger was never reached
   */
  async leave(): Promise<Admission | null> {
    this.#holding.abort();
    await this.#keeping;
    const leftQueueAtNs = this.#leftQueueAtNs ?? this.#ledgerNowNs;
    const askedAtNs = this.#askedAtNs;
    const expiresAtNs = this.#lease?.expiresAtNs ?? this.#ledgerNowNs;
    const isReleased = await this.#update((ledger, now) => release(ledger, this.#request.id, now)).then(
      () => true,
      () => false,
    );
    if (askedAtNs === undefined) return null;
    return {
      capacityBytesPerSecond: this.#capacity,
      priority: this.#request.priority,
      askedAtNs,
      waitedNs: leftQueueAtNs - askedAtNs,
      grantedBytesPerSecond: this.#granted,
      releasedAtNs: isReleased ? this.#seenAtNs : expiresAtNs,
      revocations: this.#revocations,
    };
  }

  /** Reads the ledger whenever it may have changed, and renews the lease in time. */
  async #keep(seen: Ledger): Promise<void> {
    const { signal } = this.#holding;
    for (let ledger = seen; !signal.aborted; await this.#store.changedSince(ledger, signal)) {
      const due = this.#expiresAtNs - clockNs() < this.#timeToLiveNs * RENEWED_AT;
      const looked = (before: Ledger, now: Nanos) => {
        if (this.#isForgottenBy(before) && this.#expiresAtNs > clockNs())
          return claim(before, this.#lease!, now);
        return due ? renew(before, this.#request.id, now) : settle(before, now);
      };
      try {
        ledger = await this.#update(looked);
        this.#heed(ledger);
      } catch (cause) {
        this.#allow(reasonOf(cause));
      }
    }
  }

  /** What the ledger says of this lease now. */
  #heed(ledger: Ledger): void {
    const lease = leaseOf(ledger, this.#request.id);
    const expiresAtNs = lease
      ? this.#calledAtNs + ((lease.expiresAtNs ?? Number.POSITIVE_INFINITY) - this.#seenAtNs)
      : this.#calledAtNs;
    this.#lease = lease ?? this.#lease;
    const left = lease ? allowedBytesPerSecond(ledger, lease) : 0;
    const isOther = left !== this.#allowedNow;
    this.#allowedNow = left;
    if (isOther) this.#revocations.push({ atNs: this.#seenAtNs, rateBytesPerSecond: left });
    this.#capacity = ledger.capacityBytesPerSecond;
    if (!isOther && expiresAtNs === this.#expiresAtNs) return;
    this.#expiresAtNs = expiresAtNs;
    this.#allow();
  }

  /** Passes on what the lease allows until it expires. @param trouble why it could not be renewed just now */
  #allow(trouble = 'the lease was not renewed in time'): void {
    const rateBytesPerSecond = this.#allowedNow;
    const now = clockNs();
    const ceilings: Ceiling[] = [];
    const isLimited = this.#revocations.length > 0 || this.#lease!.isElastic;
    if (isLimited && this.#expiresAtNs > now) {
      const isOutage = rateBytesPerSecond === 0 && !isRevoked(this.#lease!);
      const why = revokedBecause(this.#granted, this.#capacity);
      ceilings.push({ fromNs: 0, rateBytesPerSecond, isOutage, why });
    }
    if (this.#expiresAtNs !== Number.POSITIVE_INFINITY) {
      const why = `the lease of ${formatRate(this.#granted)} ended: ${trouble}`;
      ceilings.push({ fromNs: this.#expiresAtNs - now, rateBytesPerSecond: 0, why });
    }
    this.#allowed(ceilings);
  }

  /** Says so where the ledger is another one than was seen last. */
  #note({ epoch, quietUntilNs }: Ledger, now: Nanos): void {
    const isQuiet = quietUntilNs !== null && now < quietUntilNs;
    if (isQuiet && epoch !== this.#epoch) this.#notes.push(this.#askedAtNs === undefined ? NEW : LOST);
    this.#epoch = epoch;
  }

  /** The ledger's clock now, as far as this host can tell. */
  get #ledgerNowNs(): Nanos {
    return this.#seenAtNs + (clockNs() - this.#calledAtNs);
  }

  /** Whether the ledger is another one than was seen last, and does not know this migration. */
  #isForgottenBy({ epoch, leases, queue }: Ledger): boolean {
    return epoch !== this.#epoch && ![...leases, ...queue].some(({ id }) => id === this.#request.id);
  }

  async #update(change: LedgerChange): Promise<Ledger> {
    const calledAtNs = clockNs();
    const { ledger, now } = await this.#store.update(change);
    this.#note(ledger, now);
    this.#calledAtNs = calledAtNs;
    this.#seenAtNs = now;
    return ledger;
  }
}

const NEW =
  'the ledger of the link was new, or had been lost: it granted nothing until all leases that may have been lost had ended';
const LOST =
  'the ledger of the link was lost meanwhile: leases were claimed again, and nothing new was granted until all that may have been lost had ended';

/** Why a migration was not admitted after it had waited. */
export function tooLate(queueTimeoutNs: Nanos | null): string {
  const how =
    queueTimeoutNs === null
      ? 'the link lost capacity, or the lease expired before it was noticed'
      : `not granted within ${formatDuration(queueTimeoutNs)}`;
  return `not admitted: ${how}`;
}

/** Why a migration gives up when what is left of its reservation is not enough. */
export function revokedBecause(granted: BytesPerSecond, capacity: BytesPerSecond): string {
  return `the reservation of ${formatRate(granted)} was revoked: the link has only ${formatRate(capacity)} left`;
}
