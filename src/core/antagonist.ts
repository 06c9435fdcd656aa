import type { Bytes, BytesPerSecond, Nanos } from './units.ts';

/**
 * What works against a migration besides programs that want its processors, each with an intensity of its own. Those
 * of the link, of the guest and of the sender's timers have a meaning in virtual time too; the others need a real machine.
 */
export type Antagonist =
  | LinkAntagonist
  /** Once in every period, for a length of time, the guest's own program runs so many times as fast. */
  | {
      readonly kind: 'guest-burst';
      readonly everyNs: Nanos;
      readonly lengthNs: Nanos;
      readonly factor: number;
    }
  /** Whenever the sender is woken it wakes later, by an exponential time of this mean. */
  | { readonly kind: 'timer-noise'; readonly meanNs: Nanos }
  /** Threads outside all reservations that write through so much memory again and again. */
  | { readonly kind: 'memory-hog'; readonly count: number; readonly bytes: Bytes }
  /** Threads outside all reservations that make so much garbage, each. */
  | { readonly kind: 'garbage'; readonly count: number; readonly bytesPerSecond: BytesPerSecond };

export type LinkAntagonist =
  /** Others send so much over the link; what its capacity leaves is ours. */
  | { readonly kind: 'cross-traffic'; readonly bytesPerSecond: BytesPerSecond }
  /** Once in every period, for a length of time, the link carries only so much: 0 is an outage. */
  | {
      readonly kind: 'link-drop';
      readonly everyNs: Nanos;
      readonly lengthNs: Nanos;
      readonly bytesPerSecond: BytesPerSecond;
    }
  /** The destination takes no more than so much. */
  | { readonly kind: 'slow-destination'; readonly bytesPerSecond: BytesPerSecond };

const linkKinds = ['cross-traffic', 'link-drop', 'slow-destination'] as const;

export function isOfLink(antagonist: Antagonist): antagonist is LinkAntagonist {
  return linkKinds.some((kind) => kind === antagonist.kind);
}
