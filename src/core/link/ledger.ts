import { type BytesPerSecond, formatRate, type Nanos } from '../units.ts';

/** How soon somebody who waits has their turn. */
export interface Urgency {
  /** The larger goes first. */
  readonly priority: number;
  /** Of use only if granted by then; null: whenever. Among equals the earlier goes first. */
  readonly deadlineNs: Nanos | null;
  readonly askedAtNs: Nanos;
}

/** What a migration asks of a link. */
export interface LinkRequest extends Urgency {
  /** Its name among all that use the link. */
  readonly id: string;
  /** b, for the live rounds. */
  readonly rateBytesPerSecond: BytesPerSecond;
  /** b_d, while the guest is paused. */
  readonly stopRateBytesPerSecond: BytesPerSecond;
  /** If the link later has to take some of it back, the least with which the migration goes on. */
  readonly leastBytesPerSecond: BytesPerSecond;
  /** It reserves nothing: it has its part of what reservations leave, and does not wait. Its rates are 0. */
  readonly isElastic?: boolean;
}

/** What was granted. */
export interface Lease extends LinkRequest {
  readonly grantedAtNs: Nanos;
  /**
   * max(b, b_d), or what is left of it since some was taken back; 0: nothing, and its holder has to give up, unless it is
   * elastic.
   */
  readonly grantedBytesPerSecond: BytesPerSecond;
  /** Ends by itself at this instant unless it is renewed; null: never. */
  readonly expiresAtNs: Nanos | null;
}

/**
 * Who may send how much over one link, and who waits. Plain data: it can be kept anywhere.
 *
 * A migration asks for its larger rate, max(b, b_d), from its first round to its end, and all that is granted fits:
 *
 *   Σ max(b_i, b_d,i) ≤ capacity
 *
 * So whoever has a lease may stop at any instant and has its b_d then, also if all of them stop at the same instant;
 * nobody waits while its guest is paused. What they leave is shared by elastic migrations in equal parts.
 */
export interface Ledger {
  /** 0: an outage. Reservations stay what they are, and nobody sends until it is over. */
  readonly capacityBytesPerSecond: BytesPerSecond;
  /** How long a lease lasts unless it is renewed; null: until it is released. */
  readonly timeToLiveNs: Nanos | null;
  /** In the order in which they were granted. */
  readonly leases: readonly Lease[];
  /** The first goes first. */
  readonly queue: readonly LinkRequest[];
  /** Another one: what stood here before was lost, or is older than what its users know. null: it cannot be lost. */
  readonly epoch: string | null;
  /** Nothing new is granted before this instant, so that leases which were lost have ended or were claimed; null: none were. */
  readonly quietUntilNs: Nanos | null;
}

export function emptyLedger(capacity: BytesPerSecond, timeToLiveNs: Nanos | null = null): Ledger {
  const nobody = { leases: [], queue: [], epoch: null, quietUntilNs: null };
  return { capacityBytesPerSecond: capacity, timeToLiveNs, ...nobody };
}

/**
 * The ledger where it is kept now, in this epoch. If that is another one, leases may have been granted that it does not show. All of
 * these end within a time to live, because nobody can have renewed them since. Until then only they are taken up again.
 */
export function inEpoch(ledger: Ledger, epoch: string, now: Nanos): Ledger {
  if (ledger.epoch === epoch) return ledger;
  return { ...ledger, epoch, quietUntilNs: now + ledger.timeToLiveNs! };
}

/** Takes up a lease that was lost. Its holder makes sure that it has not ended. */
export function claim(ledger: Ledger, lost: Lease, now: Nanos): Ledger {
  const settled = settle(ledger, now);
  const fits = grantedBytesPerSecond(settled) + lost.grantedBytesPerSecond <= ledger.capacityBytesPerSecond;
  if (!isQuiet(ledger, now) || leaseOf(settled, lost.id) || !fits) return settled;
  const lease = { ...lost, expiresAtNs: expiry(ledger, now) };
  return { ...settled, leases: [...settled.leases, lease] };
}

/** What has to be free for a request. */
export function demandOf({ rateBytesPerSecond, stopRateBytesPerSecond }: LinkRequest): BytesPerSecond {
  return Math.max(rateBytesPerSecond, stopRateBytesPerSecond);
}

/** Why this link can never grant a request, and what it could; `undefined`: it can. */
export function impossible(
  { capacityBytesPerSecond: capacity }: Ledger,
  request: LinkRequest,
): string | undefined {
  // During an outage nobody knows what the link will have.
  if (demandOf(request) <= capacity || capacity === 0) return undefined;
  const { rateBytesPerSecond: b, stopRateBytesPerSecond: bd } = request;
  const asked = b === bd ? formatRate(b) : `the larger of b ${formatRate(b)} and b_d ${formatRate(bd)}`;
  return `${asked} asked of a link of ${formatRate(capacity)}; at most ${formatRate(capacity)} would fit`;
}

/** Queues a request, which may be granted at once. One that is impossible never enters the queue. */
export function ask(ledger: Ledger, request: LinkRequest, now: Nanos): Ledger {
  return settle({ ...ledger, queue: [...ledger.queue, request].sort(byUrgency) }, now);
}

/**
 * What a lease allows now. An elastic one has an equal part of what reservations leave, as TCP's flows have it (max–min
 * fairness among those who would all take more): (C − Σ granted) / n. 0: nothing, for now if the lease is not revoked.
 */
export function allowedBytesPerSecond(ledger: Ledger, lease: Lease): BytesPerSecond {
  const { capacityBytesPerSecond: capacity, leases } = ledger;
  if (capacity === 0 || !lease.isElastic) return capacity === 0 ? 0 : lease.grantedBytesPerSecond;
  const sharing = leases.filter(({ isElastic }) => isElastic).length;
  return Math.max(0, Math.floor((capacity - grantedBytesPerSecond(ledger)) / sharing));
}

/** Whether all of it was taken back, so that its holder has to give up. */
export function isRevoked({ isElastic, grantedBytesPerSecond: granted }: Lease): boolean {
  return granted === 0 && !isElastic;
}

export function leaseOf({ leases }: Ledger, id: string): Lease | undefined {
  return leases.find((lease) => lease.id === id);
}

/** Gives back a lease, or a place in the queue. */
export function release(ledger: Ledger, id: string, now: Nanos): Ledger {
  if (![...ledger.leases, ...ledger.queue].some((one) => one.id === id)) return settle(ledger, now);
  const others = <Entry extends LinkRequest>(all: readonly Entry[]) => all.filter((one) => one.id !== id);
  return settle({ ...ledger, leases: others(ledger.leases), queue: others(ledger.queue) }, now);
}

/** The holder of a lease is alive: it lasts for another time to live. A lease that has expired is not revived. */
export function renew(ledger: Ledger, id: string, now: Nanos): Ledger {
  const settled = settle(ledger, now);
  const expiresAtNs = expiry(ledger, now);
  const leases = settled.leases.map((lease) => (lease.id === id ? { ...lease, expiresAtNs } : lease));
  return { ...settled, leases };
}

/**
 * The link has another capacity from now on. If less was granted than that, nothing happens but that more may be
 * granted. Otherwise reservations are revoked: the least urgent gives first, of equals the one granted last. It
 * keeps what is left for it; if that is less than the least it asked for, it loses everything and has to give up.
 * What was taken back of a lease returns to it when the capacity does, before anybody new is let in.
 *
 * A capacity of 0 is an outage, which takes nothing back: nobody sends, and nobody has to give up.
 */
export function changeCapacity(ledger: Ledger, capacity: BytesPerSecond, now: Nanos): Ledger {
  const current = expire(ledger, now);
  if (capacity === 0) return settle({ ...current, capacityBytesPerSecond: 0 }, now);
  const curbed = new Map<string, BytesPerSecond>();
  let over = grantedBytesPerSecond(current) - capacity;
  for (const lease of current.leases.toReversed().sort((one, other) => one.priority - other.priority)) {
    if (over <= 0) break;
    if (lease.isElastic) continue;
    const kept = Math.max(0, lease.grantedBytesPerSecond - over);
    const granted = kept >= lease.leastBytesPerSecond ? kept : 0;
    over -= lease.grantedBytesPerSecond - granted;
    curbed.set(lease.id, granted);
  }
  const leases = current.leases.map((lease) => ({
    ...lease,
    grantedBytesPerSecond: curbed.get(lease.id) ?? lease.grantedBytesPerSecond,
  }));
  const after = { ...current, capacityBytesPerSecond: capacity, leases: givenBack(leases, capacity) };
  return settle(after, now);
}

/** The link is taken from everybody for good: all have to give up, and nobody waits for it any more. */
export function revokeAll(ledger: Ledger): Ledger {
  const leases = ledger.leases.map((lease) => ({ ...lease, grantedBytesPerSecond: 0, isElastic: false }));
  return { ...ledger, capacityBytesPerSecond: 0, leases, queue: [] };
}

/**
 * What follows from the time alone: leases that nobody renewed end, requests whose deadline has passed leave the queue,
 * and the first in the queue are granted for as long as they fit. Nobody overtakes: a small request behind a large one
 * waits with it, so that large ones come to their turn. Elastic requests wait for nobody.
 * @returns the same ledger if there is nothing to do
 */
export function settle(ledger: Ledger, now: Nanos): Ledger {
  const current = expire(ledger, now);
  const waiting = current.queue.filter(
    (request) => (request.deadlineNs ?? now) >= now && impossible(current, request) === undefined,
  );
  const quiet = isQuiet(ledger, now);
  const leases = [...current.leases];
  let free = current.capacityBytesPerSecond - grantedBytesPerSecond(current);
  let isFull = false;
  const queue: LinkRequest[] = [];
  for (const request of waiting) {
    const granted = demandOf(request);
    isFull ||= !request.isElastic && granted > free;
    if (quiet || (isFull && !request.isElastic)) {
      queue.push(request);
      continue;
    }
    free -= granted;
    leases.push({
      ...request,
      grantedAtNs: now,
      grantedBytesPerSecond: granted,
      expiresAtNs: expiry(ledger, now),
    });
  }
  const isSame = queue.length === ledger.queue.length && leases.length === ledger.leases.length;
  return isSame ? ledger : { ...current, leases, queue };
}

/** What was taken of leases is theirs again as far as the link has it: the most urgent first, of equals the first. */
function givenBack(leases: readonly Lease[], capacity: BytesPerSecond): readonly Lease[] {
  let free = capacity - grantedBytesPerSecond({ leases });
  const given = new Map<string, BytesPerSecond>();
  for (const lease of leases.toSorted((one, other) => other.priority - one.priority)) {
    const granted = lease.grantedBytesPerSecond;
    const back = isRevoked(lease) ? 0 : Math.min(free, demandOf(lease) - granted);
    free -= back;
    given.set(lease.id, granted + back);
  }
  return leases.map((lease) => ({ ...lease, grantedBytesPerSecond: given.get(lease.id)! }));
}

/** The next instant at which `settle` has something to do although nobody asks; infinity: there is none. */
export function nextEventNs({ leases, queue, quietUntilNs }: Ledger): Nanos {
  const expiries = leases.map(({ expiresAtNs }) => expiresAtNs ?? Number.POSITIVE_INFINITY);
  // A request may still be granted at its deadline itself.
  const deadlines = queue.map(({ deadlineNs }) =>
    deadlineNs === null ? Number.POSITIVE_INFINITY : deadlineNs + 1,
  );
  const quietUntil = queue.length > 0 && quietUntilNs !== null ? [quietUntilNs] : [];
  return Math.min(...expiries, ...deadlines, ...quietUntil);
}

export function grantedBytesPerSecond({ leases }: Pick<Ledger, 'leases'>): BytesPerSecond {
  return leases.reduce((sum, lease) => sum + lease.grantedBytesPerSecond, 0);
}

function isQuiet({ quietUntilNs }: Ledger, now: Nanos): boolean {
  return quietUntilNs !== null && now < quietUntilNs;
}

/** A lease is over at the instant at which it expires. */
function expire(ledger: Ledger, now: Nanos): Ledger {
  const alive = ({ expiresAtNs }: Lease) => expiresAtNs === null || expiresAtNs > now;
  return { ...ledger, leases: ledger.leases.filter(alive) };
}

function expiry({ timeToLiveNs }: Ledger, now: Nanos): Nanos | null {
  return timeToLiveNs === null ? null : now + timeToLiveNs;
}

/** Priority, then deadline, then who asked first (sorting is stable). */
export function byUrgency(one: Urgency, other: Urgency): number {
  if (one.priority !== other.priority) return other.priority - one.priority;
  const [due, otherDue] = [
    one.deadlineNs ?? Number.POSITIVE_INFINITY,
    other.deadlineNs ?? Number.POSITIVE_INFINITY,
  ];
  return due === otherDue ? one.askedAtNs - other.askedAtNs : due < otherDue ? -1 : 1;
}
