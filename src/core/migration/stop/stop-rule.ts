import type { Named } from '../../registry.ts';
import type { Bytes, BytesPerSecond, Nanos } from '../../units.ts';
import type { RoundRecord } from '../migration-result.ts';

/** What a stop rule is told, whenever it is asked: between the batches of a round and at its end. */
export interface Progress {
  /** The rounds that have ended. */
  readonly rounds: readonly RoundRecord[];
  /** Whether a round has just ended; otherwise some of its pages are still to be sent. */
  readonly roundEnded: boolean;
  /** What would have to be sent if the guest stopped now: dirty pages, deferred ones among them. */
  readonly pendingPages: number;
  /** The same in bytes, less what the link has carried already of the page that leaves next, or with what is still under way. */
  readonly pendingBytes: Bytes;
  /** What the devices would have to send besides, always the same. */
  readonly deviceBytes: Bytes;
  /** Since the migration started. */
  readonly elapsedNs: Nanos;
  /** Sent so far. */
  readonly sentBytes: Bytes;
  /** The bandwidth seen in the current round so far, or in the last one when it has just ended. */
  readonly bandwidthBytesPerSecond: BytesPerSecond;
  /** The size of the guest's memory. */
  readonly guestBytes: Bytes;
}

/** Stop the guest and finish; or give up and let it run on at the source. */
export interface Verdict {
  readonly decision: 'stop' | 'give up';
  readonly reason: string;
}

/**
 * Go on; within rounds the answer stays this one, at the bandwidth seen now, while no less than `pendingBelowBytes` is
 * pending and it is not yet `atNs` since the start. Sending a page takes one page off what is pending, no more, so it is
 * known how many pages may be sent before the rule need be asked again.
 */
export interface GoOn {
  readonly decision: 'go on';
  readonly pendingBelowBytes: Bytes;
  readonly atNs: Nanos;
  /** Whether the same is true at the ends of rounds that come meanwhile. Not there: they may change the answer. */
  readonly holdsAtEnds?: boolean;
}

/**
 * A rule may remember what it saw; it is made anew for every migration. It is a function of what it is told: no clock, no
 * random numbers. So the model can ask it too. `undefined`: go on, and ask again soon.
 */
export type StopRule = (progress: Progress) => Verdict | GoOn | undefined;

/**
 * The parameters of a stop rule with their defaults. `limitNs` is a time above 0, which a scenario writes as
 * `limit: 300ms`; names that end in `Bytes` and `BytesPerSecond` are sizes and rates, written in the same way; other
 * numbers are above 0; a text is one of its `choices`.
 */
export type StopParameters = Readonly<Record<string, number | string>>;

/** A stop rule, its parameters, and when it is asked. */
export interface StopRuleDefinition<Parameters extends StopParameters = StopParameters> extends Named {
  readonly defaults: Parameters;
  /** The parameters that are whole numbers, at least 1 and at most 1,000,000. */
  readonly counts?: readonly (keyof Parameters & string)[];
  /** What each parameter that is a text may be. */
  readonly choices?: { readonly [Name in keyof Parameters]?: readonly Parameters[Name][] };
  /** What each parameter says, in a sentence, for whoever writes a scenario. */
  readonly means?: { readonly [Name in keyof Parameters]?: string };
  /** The counts that may be 0 too. */
  readonly mayBeZero?: readonly (keyof Parameters & string)[];
  /**
   * Whether it is asked within rounds too: when its last answer says, or else some 100 times a second. Otherwise only at
   * the end of each.
   */
  readonly withinRounds: boolean;
  /** How it ends every migration sooner or later. Not there: it may go on for ever, and the plan has a time-out. */
  readonly ends?: (parameters: Parameters) => Verdict['decision'];
  /** Makes the rule of one migration. */
  readonly rule: (parameters: Parameters) => StopRule;
}

/** The same definition, whose name and parameters the compiler remembers. */
export function stopRuleDefinition<const Name extends string, Parameters extends StopParameters>(
  definition: StopRuleDefinition<Parameters> & { readonly name: Name },
) {
  return definition;
}
