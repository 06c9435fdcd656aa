import type { Random } from './random.ts';
import type { Nanos } from './units.ts';

/** A cost that is not the same each time, as it was measured. */
export interface Cost {
  readonly median: number;
  /** What 95 of 100 do not exceed. */
  readonly p95: number;
  /** How many measurements these are of. */
  readonly samples: number;
}

/** What a hand-over takes where no other thread competes, in the order in which it happens. */
export interface HandoverCosts {
  /** Finding what is dirty, for a MiB of the guest's memory; not there where a dirty log is kept. */
  readonly dirtyScanNsPerMebibyte?: Cost | undefined;
  /** The time of the memory part in which no page leaves: until the sender is told, and until its answer is heard. */
  readonly pauseNs: Cost;
  /** From the last page to the destination's answer that it has the same. */
  readonly stateNs: Cost;
  /** Hashing all memory at both ends at once, for a MiB of it. */
  readonly verifyNsPerMebibyte: Cost;
  /** From there until the destination has the commit. */
  readonly commitNs: Cost;
  /** Until the guest runs there. */
  readonly resumeNs: Cost;
  /** The share of a processor that the guest uses with nothing to do; not there: none. */
  readonly idleShare?: Cost | undefined;
}

/** What threads cost that send: CPU time. */
export interface SenderCosts {
  /** For one of the three messages of a hand-over. */
  readonly senderMessageNs: Cost;
  /** For a MiB of pages: to copy, digest, encrypt and send them. */
  readonly sendNsPerMebibyte: Cost;
  /** From the end of one dispatched thread's turn to the beginning of the next one's. */
  readonly threadSwitchNs: Cost;
}

/** The machine whose costs virtual time adds. */
export interface PredictedMachine {
  /** Of its profile. */
  readonly name: string;
  /** The profile's file, as its user named it, and the SHA-256 of what is in it. */
  readonly file: string;
  readonly sha256: string;
  /** The world whose downtime is predicted. */
  readonly world: 'threads' | 'vm';
  readonly costs: HandoverCosts & SenderCosts;
}

/** Of a standard normal distribution, 95 % lie below. */
const Z95 = 1.6448536269514722;

/**
 * One value of a cost, at random: lognormal, with the median and the 95 % quantile that were measured,
 *
 *   median · exp(σ·z),  σ = ln(p95 / median) / z₉₅,  z ~ N(0, 1)
 *
 * so that none is negative, and long ones are further from the median than short ones, as with latencies.
 */
export function drawn({ median, p95 }: Cost, random: Random): Nanos {
  if (median === 0) return 0;
  return median * Math.exp((Math.log(p95 / median) / Z95) * random.normal());
}
