import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import type { GuestSpec } from './programs.ts';

/** What a guest is, wherever it lives: enough to boot it, to write it down, or to tell a destination of it. */
export interface GuestDefinition {
  readonly guest: GuestSpec;
  /** What is reserved of a processor for it; null: nothing. */
  readonly reservation: KeptReservation | null;
}
