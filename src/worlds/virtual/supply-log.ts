import { Delivery } from '../../core/cpu/delivery.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import type { ServerRecord } from '../../core/cpu/server-record.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import type { Nanos } from '../../core/units.ts';

/** In virtual time what is not served on the nanosecond is missed; below that is the arithmetic's own error. */
const EXACT = { share: 0, floorNs: 1 };

/** When a scheduled entity wanted the processor, and when it had it. */
export class SupplyLog {
  readonly #name: string;
  readonly #reservation: Reservation | null;
  /** The instants at which it unblocked, blocked, unblocked … */
  readonly #changes: Nanos[] = [];
  /** In the order of time. */
  readonly slices: Slice[] = [];

  constructor(name: string, reservation: Reservation | null) {
    this.#name = name;
    this.#reservation = reservation;
  }

  /** It unblocked, if it was blocked, or else blocked. */
  changed(atNs: Nanos): void {
    this.#changes.push(atNs);
  }

  ran(startNs: Nanos, endNs: Nanos, processor: number): void {
    this.slices.push({ name: this.#name, startNs, endNs, processor });
  }

  /** `undefined`: it was promised nothing. */
  record(untilNs: Nanos): ServerRecord | undefined {
    if (!this.#reservation) return undefined;
    const delivery = new Delivery(this.#reservation, EXACT);
    let told = 0;
    const ranUntil = (atNs: Nanos) => {
      for (let slice = this.slices[told]; slice && slice.startNs < atNs; slice = this.slices[++told]) {
        delivery.ran(slice.startNs, slice.endNs);
      }
    };
    for (const [index, atNs] of this.#changes.entries()) {
      ranUntil(atNs);
      if (index % 2 === 0) delivery.wakes(atNs);
      else delivery.sleeps(atNs);
    }
    ranUntil(untilNs);
    return delivery.record(this.#name, untilNs);
  }
}
