import { Delivery } from '../../core/cpu/delivery.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import type { ServerRecord } from '../../core/cpu/server-record.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import type { Nanos } from '../../core/units.ts';

/** In virtual time what is not served on the nanosecond is missed; below that is the arithmetic's own error. */
const EXACT = { share: 0, floorNs: 1 };

/** When a scheduled entity wanted the processor, and when it had it; told in the order of time. */
export class SupplyLog {
  readonly #name: string;
  /** `undefined`: it was promised nothing. */
  readonly #delivery: Delivery | undefined;
  readonly #keepsSlices: boolean;
  #isBlocked = true;
  /** In the order of time; none, if they are not kept. */
  readonly slices: Slice[] = [];

  /** @param keepsSlices all of them, which takes memory for as long as time passes */
  constructor(name: string, reservation: Reservation | null, keepsSlices: boolean) {
    this.#name = name;
    this.#delivery = reservation ? new Delivery(reservation, EXACT) : undefined;
    this.#keepsSlices = keepsSlices;
  }

  /** It unblocked, if it was blocked, or else blocked. */
  changed(atNs: Nanos): void {
    this.#isBlocked = !this.#isBlocked;
    if (this.#isBlocked) this.#delivery?.sleeps(atNs);
    else this.#delivery?.wakes(atNs);
  }

  ran(startNs: Nanos, endNs: Nanos, processor: number): void {
    this.#delivery?.ran(startNs, endNs);
    if (this.#keepsSlices) this.slices.push({ name: this.#name, startNs, endNs, processor });
  }

  /** `undefined`: it was promised nothing. */
  record(untilNs: Nanos): ServerRecord | undefined {
    return this.#delivery?.record(this.#name, untilNs);
  }
}
