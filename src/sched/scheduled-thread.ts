import type { Reservation } from '../core/cpu/reservation.ts';
import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { type Answer, setDeadline, threadId } from '../platform/thread-scheduling.ts';
import { Chain } from './dispatch-queue.ts';
import { Desk, Seat } from './scheduler-memory.ts';
import { Recorder } from './slice-recorder.ts';
import { Timeline } from './timeline.ts';

/** A thread's relation to its processor, the same whoever decides about it. */
export interface Turn {
  /**
   * Between two short pieces of work, of 50 µs of CPU time at most: returns at once while it is this thread's turn.
   * Otherwise sleeps until it is, or until `interrupted` says that there is something more important; it is asked
   * before the thread sleeps and whenever it is nudged. Cheap: looks at the clocks every 25 µs at most.
   */
  pass(interrupted?: () => boolean): void;
  /** There is nothing to do: the thread is about to sleep. */
  sleeps(): void;
  /** There is work again. Waits for the turn as `pass` does. */
  wakes(interrupted?: () => boolean): void;
}

/** What a thread must know to open its turn; goes into its `workerData`. */
export type TurnData = {
  readonly desk: SharedArrayBuffer;
  readonly seat: number;
  readonly timeline: SharedArrayBuffer;
} & (
  | {
      /** `free`: nobody decides, and nobody wants to know. `none`: the operating system decides as it likes. */
      readonly backend: 'free' | 'none';
    }
  | { readonly backend: 'deadline'; readonly reservation: Reservation; readonly reclaim: boolean }
  | { readonly backend: 'cooperative' }
);

/** How long a thread goes on without a look at its clocks. */
const LOOK_NS = 25_000;

/** Makes the calling thread one that takes turns; it counts as asleep until it wakes. */
export function openTurn(data: TurnData): Turn {
  const seat = new Seat(data.desk, data.seat);
  if (data.backend === 'free') {
    seat.open(0, undefined);
    return freeTurn;
  }
  const timeline = new Timeline(data.timeline);
  if (data.backend === 'cooperative') {
    seat.open(threadId(), undefined);
    return new DispatchedTurn(timeline, new Desk(data.desk), data.seat);
  }
  const answer: Answer = data.backend === 'deadline' ? setDeadline(data.reservation, data) : { ok: true };
  seat.open(threadId(), answer.ok ? undefined : answer.code);
  return new KernelTurn(timeline);
}

const freeTurn: Turn = { pass: () => {}, sleeps: () => {}, wakes: () => {} };

/** Has the thread, if it waits for its turn, ask whether it is interrupted. */
export function nudge({ desk, seat }: TurnData): void {
  new Seat(desk, seat).knock();
}

/**
 * The kernel decides, and the thread keeps the record. To read the CPU clock is more than that: the kernel ends a
 * budget at its tick or when it is made to look (kernel/sched/deadline.c: update_curr_dl), so that a thread which
 * does not look at its clock gets up to a tick more than its budget.
 */
class KernelTurn implements Turn {
  readonly #timeline: Timeline;
  readonly #recorder: Recorder;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#recorder = new Recorder(timeline);
  }

  pass(): void {
    if (clockNs() - this.#recorder.lookedAtNs >= LOOK_NS) this.#recorder.look();
  }

  sleeps(): void {
    this.#timeline.sleeps(this.#recorder.stops());
  }

  wakes(): void {
    this.#timeline.wakes(this.#recorder.starts());
  }
}

/**
 * A dispatcher decides: the thread runs while it has the turn, says how much CPU time it has used, and when it stops,
 * hands over to the one that is to follow.
 */
class DispatchedTurn implements Turn {
  readonly #timeline: Timeline;
  readonly #recorder: Recorder;
  readonly #desk: Desk;
  readonly #number: number;
  readonly #seat: Seat;
  readonly #chain: Chain;
  /** The limit of which the dispatcher knows that it was reached. */
  #reachedNs: Nanos = 0;

  constructor(timeline: Timeline, desk: Desk, number: number) {
    this.#timeline = timeline;
    this.#recorder = new Recorder(timeline);
    this.#desk = desk;
    this.#number = number;
    this.#seat = desk.seat(number);
    this.#chain = new Chain(desk, this.#seat.processor);
  }

  pass(interrupted?: () => boolean): void {
    const seat = this.#seat;
    if (this.#chain.isHeldBy(this.#number)) {
      const now = clockNs();
      const isOver = now >= seat.untilNs;
      if (!isOver && now - this.#recorder.lookedAtNs < LOOK_NS) return;
      this.#recorder.look();
      seat.cpuNs = this.#recorder.cpuNs;
      if (!isOver && !this.#reachesLimit()) return;
    }
    this.#waits(interrupted, this.#handsOver());
  }

  sleeps(): void {
    this.#timeline.sleeps(this.#recorder.stops());
    this.#seat.cpuNs = this.#recorder.cpuNs;
    this.#withdraws();
  }

  wakes(interrupted?: () => boolean): void {
    this.#timeline.wakes(this.#recorder.starts());
    this.#waits(interrupted, false);
  }

  /** Whether the thread has to stop. Where it need not, the dispatcher is told, and decides. */
  #reachesLimit(): boolean {
    const { limitNs, stopsAtLimit } = this.#seat;
    if (this.#recorder.cpuNs < limitNs) return false;
    if (stopsAtLimit) return true;
    if (limitNs !== this.#reachedNs) this.#desk.ring();
    this.#reachedNs = limitNs;
    return false;
  }

  #handsOver(): boolean {
    return this.#chain.handOver(this.#number, this.#recorder.lookedAtNs);
  }

  /** Waits for the turn. The dispatcher is told, if it need not have expected that. */
  #waits(interrupted: (() => boolean) | undefined, isExpected: boolean): void {
    const seat = this.#seat;
    seat.isAwake = true;
    let mustRing = !isExpected;
    for (let { knocks } = seat; !this.#chain.take(this.#number); { knocks } = seat) {
      if (interrupted?.()) {
        this.#withdraws();
        return;
      }
      this.#recorder.stops();
      seat.cpuNs = this.#recorder.cpuNs;
      if (mustRing) this.#desk.ring();
      mustRing = false;
      seat.sleepUntilKnock(knocks);
      this.#recorder.starts();
    }
  }

  /** Does not ask for its turn any more. */
  #withdraws(): void {
    this.#seat.isAwake = false;
    this.#handsOver();
    this.#desk.ring();
  }
}
