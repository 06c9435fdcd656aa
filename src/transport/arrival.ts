import type { Nanos } from '../core/units.ts';
import type { End } from '../core/wire/handover.ts';

/** A migration whose guest is on its way here. */
export interface Arrival {
  readonly migration: string;
  readonly guest: string;
  /** Where it comes from, HOST:PORT. */
  readonly peer: string;
}

export interface ArrivalEnd extends Arrival {
  readonly outcome: 'completed' | 'failed';
  readonly owner: End;
  /** This end's part of the downtime, from the commit until the guest ran; null: it did not. */
  readonly resumeNs: Nanos | null;
}

/** How a connection ended: a line, and what a program reads of it if a guest was on its way. */
export interface ConnectionEnd {
  readonly line: string;
  readonly arrival?: ArrivalEnd | undefined;
}

/** @param resumeNs undefined: the guest did not run here */
export function arrivalEnd(
  arrival: Arrival | undefined,
  committed: boolean,
  resumeNs: Nanos | undefined,
): ArrivalEnd | undefined {
  if (!arrival) return undefined;
  const outcome = resumeNs === undefined ? 'failed' : 'completed';
  return { ...arrival, outcome, owner: committed ? 'destination' : 'source', resumeNs: resumeNs ?? null };
}
