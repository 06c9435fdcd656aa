import { NANOS_PER_SECOND, type Nanos } from '../units.ts';
import { idleServer, replenish, type Server, sleep, wake } from './cbs.ts';
import type { Reservation } from './reservation.ts';
import type { ServerRecord, ShareError } from './server-record.ts';
import type { Slice } from './slice.ts';

/**
 * How much of a budget may remain unserved before its period counts as missed: share·Q, and at least floorNs. What a
 * machine can be held to that is not built for real time.
 */
const MEASURED = { share: 0.05, floorNs: 100_000 };

type Stretch = Pick<Slice, 'startNs' | 'endNs'>;

/**
 * What one reservation was promised against what it was given, in any world, from the outside: from the instants at
 * which its owner has work, and from the slices of service. The promise is that of the hard constant bandwidth
 * server (`cbs.ts`): budget and deadline follow its rules, and what is served beyond the budget is a debt.
 *
 * A deadline that passes while the server has work closes a period. The server has then had work ever since its
 * budget was last set or kept, so all of that budget was due, and the period is missed if more than the tolerance
 * is unserved. What is unserved is forfeited, so that one budget left out is one miss and not a row of them.
 *
 * Everything is told in the order of time, but for noise; so a slice that reaches beyond the end of a job, because
 * the next one followed at once, is told in two parts.
 */
export class Delivery {
  readonly #server: Server;
  readonly #toleranceNs: Nanos;
  readonly #perPeriod: Windows;
  readonly #perTenPeriods: Windows;
  readonly #perSecond: Windows;

  #servedNs: Nanos = 0;
  #periods = 0;
  readonly #missed: Stretch[] = [];
  readonly #noise: Stretch[] = [];

  /** When the budget was set, kept or replenished. */
  #budgetSinceNs: Nanos = 0;
  #asleepSinceNs: Nanos = Number.NEGATIVE_INFINITY;
  /** The server has gone without service since, if it is awake. */
  #withoutSinceNs: Nanos = 0;
  #longestBlackoutNs: Nanos = 0;

  constructor(reservation: Reservation, { share, floorNs } = MEASURED) {
    const { budgetNs, periodNs } = reservation;
    this.#server = idleServer(reservation);
    this.#toleranceNs = Math.max(share * budgetNs, floorNs);
    this.#perPeriod = new Windows(reservation, periodNs);
    this.#perTenPeriods = new Windows(reservation, 10 * periodNs);
    this.#perSecond = new Windows(reservation, NANOS_PER_SECOND);
  }

  /** From now on it has work. */
  wakes(atNs: Nanos): void {
    if (this.#isAwake) return;
    wake('hard', this.#server, atNs);
    this.#budgetSinceNs = atNs;
    // One that finishes something and begins the next at the same instant has not been without work.
    if (atNs === this.#asleepSinceNs) return;
    this.#withoutSinceNs = atNs;
    for (const windows of this.#windows) windows.begin(atNs);
  }

  /** Nothing left to do. */
  sleeps(atNs: Nanos): void {
    if (!this.#isAwake) return;
    this.#passUntil(atNs);
    this.#servedAgain(atNs);
    sleep(this.#server);
    this.#asleepSinceNs = atNs;
  }

  /** It was served from start to end, and got so much CPU time in it, evenly. */
  ran(startNs: Nanos, endNs: Nanos, cpuNs: Nanos = endNs - startNs): void {
    this.#servedNs += cpuNs;
    if (!this.#isAwake) {
      this.#server.remainingNs -= cpuNs;
      return;
    }
    this.#passUntil(startNs);
    this.#servedAgain(startNs);
    this.#withoutSinceNs = endNs;
    for (const windows of this.#windows) windows.ran(startNs, endNs, cpuNs);
    let [fromNs, leftNs] = [startNs, cpuNs];
    for (let { deadlineNs } = this.#server; deadlineNs < endNs; { deadlineNs } = this.#server) {
      const partNs = evenly(leftNs, deadlineNs - fromNs, endNs - fromNs);
      this.#server.remainingNs -= partNs;
      [fromNs, leftNs] = [deadlineNs, leftNs - partNs];
      this.#closePeriod();
    }
    this.#server.remainingNs -= leftNs;
  }

  /** The machine itself was stalled, as an independent probe saw it; told in any order. */
  noise(startNs: Nanos, endNs: Nanos): void {
    this.#noise.push({ startNs, endNs });
  }

  record(name: string, untilNs: Nanos): ServerRecord {
    if (this.#isAwake) {
      this.#passUntil(untilNs);
      this.#servedAgain(untilNs);
    }
    const { budgetNs, periodNs } = this.#server;
    return {
      name,
      budgetNs,
      periodNs,
      servedNs: this.#servedNs,
      shareErrorPerPeriod: this.#perPeriod.error(),
      shareErrorPerTenPeriods: this.#perTenPeriods.error(),
      shareErrorPerSecond: this.#perSecond.error()?.median ?? null,
      periods: this.#periods,
      missedPeriods: this.#missed.length,
      missedByMachine: this.#missed.filter((period) => this.#noise.some((noise) => overlap(period, noise)))
        .length,
      longestBlackoutNs: this.#longestBlackoutNs,
    };
  }

  get #isAwake(): boolean {
    return this.#server.phase !== 'idle';
  }

  get #windows(): readonly Windows[] {
    return [this.#perPeriod, this.#perTenPeriods, this.#perSecond];
  }

  /** Time passes without service. */
  #passUntil(atNs: Nanos): void {
    while (this.#server.deadlineNs <= atNs) this.#closePeriod();
    for (const windows of this.#windows) windows.passUntil(atNs);
  }

  /** The deadline passes. */
  #closePeriod(): void {
    const { deadlineNs, remainingNs } = this.#server;
    this.#periods += 1;
    if (remainingNs > this.#toleranceNs) {
      this.#missed.push({ startNs: this.#budgetSinceNs, endNs: deadlineNs });
    }
    this.#server.remainingNs = Math.min(0, remainingNs);
    replenish('hard', this.#server, deadlineNs);
    this.#budgetSinceNs = deadlineNs;
  }

  /** A time without service ends, if there was one. */
  #servedAgain(atNs: Nanos): void {
    this.#longestBlackoutNs = Math.max(this.#longestBlackoutNs, atNs - this.#withoutSinceNs);
  }
}

/**
 * |served − U·length| / (U·length) over consecutive windows of one length, the first at the beginning of a stretch
 * in which the server has work. A window that the stretch does not fill does not count.
 */
class Windows {
  readonly #lengthNs: Nanos;
  readonly #promisedNs: Nanos;
  readonly #errors: number[] = [];
  #endNs: Nanos = 0;
  #servedNs: Nanos = 0;

  constructor({ budgetNs, periodNs }: Reservation, lengthNs: Nanos) {
    this.#lengthNs = lengthNs;
    this.#promisedNs = budgetNs * (lengthNs / periodNs);
  }

  begin(atNs: Nanos): void {
    this.#endNs = atNs + this.#lengthNs;
    this.#servedNs = 0;
  }

  passUntil(atNs: Nanos): void {
    while (this.#endNs <= atNs) {
      this.#errors.push(Math.abs(this.#servedNs - this.#promisedNs) / this.#promisedNs);
      this.#servedNs = 0;
      this.#endNs += this.#lengthNs;
    }
  }

  ran(startNs: Nanos, endNs: Nanos, cpuNs: Nanos): void {
    let fromNs = startNs;
    while (this.#endNs < endNs) {
      const toNs = this.#endNs;
      this.#servedNs += evenly(cpuNs, toNs - fromNs, endNs - startNs);
      this.passUntil(toNs);
      fromNs = toNs;
    }
    this.#servedNs += evenly(cpuNs, endNs - fromNs, endNs - startNs);
  }

  error(): ShareError | null {
    if (this.#errors.length === 0) return null;
    const sorted = Float64Array.from(this.#errors).sort();
    const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!;
    return { median: quantile(0.5), p99: quantile(0.99) };
  }
}

/** What a part of a slice holds of its CPU time; exact where the slice is nothing but CPU time. */
function evenly(cpuNs: Nanos, partNs: Nanos, lengthNs: Nanos): Nanos {
  return cpuNs === lengthNs ? partNs : Math.round((cpuNs * partNs) / lengthNs);
}

function overlap(one: Stretch, other: Stretch): boolean {
  return one.startNs < other.endNs && other.startNs < one.endNs;
}
