import type { Scheduler } from '../core/cpu/cpu-plan.ts';
import type { Reservation } from '../core/cpu/reservation.ts';
import type { GuestSpec } from './programs.ts';

/** What is reserved of a processor for a guest, and who keeps the reservation. */
export interface GuestReservation extends Reservation {
  readonly scheduler: Scheduler;
}

/** What a guest is, wherever it lives: enough to boot it, to write it down, or to tell a destination of it. */
export interface GuestDefinition {
  readonly guest: GuestSpec;
  /** null: nothing is reserved for it. */
  readonly reservation: GuestReservation | null;
}
