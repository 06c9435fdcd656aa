import type { RoundRecord } from '../../../../src/core/migration/migration-result.ts';
import type { Progress, StopRule, Verdict } from '../../../../src/core/migration/stop/stop-rule.ts';
import type { Bytes, BytesPerSecond, Nanos } from '../../../../src/core/units.ts';

export const PAGE_BYTES = 4096;
export const MS = 1e6;
export const SECOND = 1e9;
export const MiB = 2 ** 20;
export const GiB = 2 ** 30;

/** The end of a first round in which nothing has been decided yet, save for what the test says. */
export function progress(given: Partial<Progress> = {}): Progress {
  return {
    rounds: [],
    roundEnded: false,
    pendingPages: Math.ceil((given.pendingBytes ?? GiB) / PAGE_BYTES),
    pendingBytes: GiB,
    elapsedNs: SECOND,
    sentBytes: GiB,
    bandwidthBytesPerSecond: 100 * MiB,
    guestBytes: 4 * GiB,
    deviceBytes: 0,
    ...given,
  };
}

/** A round that found so many pages dirty and sent them all. */
export function round(pages: number): RoundRecord {
  return {
    round: 1,
    dirtyPages: pages,
    sentPages: pages,
    deferredPages: 0,
    skippedPages: 0,
    zeroPages: 0,
    bytes: pages * PAGE_BYTES,
    durationNs: SECOND,
  };
}

/** What a rule decides: nothing, if it says that the migration goes on. */
export function decided(rule: StopRule): (at: Progress) => Verdict | undefined {
  return (at) => {
    const answer = rule(at);
    return answer?.decision === 'go on' ? undefined : answer;
  };
}

/** The end of the last of these rounds. */
export function afterRounds(pages: readonly number[], given: Partial<Progress> = {}): Progress {
  return progress({ rounds: pages.map(round), roundEnded: true, ...given });
}

/** Whether a rule, at this moment, finds a downtime of so long short enough. */
export function allows(rule: StopRule, downtimeNs: Nanos, given: Partial<Progress> = {}): boolean {
  const at = progress(given);
  const pendingBytes = (at.bandwidthBytesPerSecond * downtimeNs) / SECOND;
  return rule({ ...at, pendingBytes })?.decision === 'stop';
}

export interface TinyMigration {
  readonly guestBytes: Bytes;
  readonly bandwidthBytesPerSecond: BytesPerSecond;
  /** How much is dirty so long after it was all clean. */
  readonly dirtiedBytes: (sinceNs: Nanos) => Bytes;
  /** Between two questions to the rule. */
  readonly batchNs?: Nanos;
}

export const constantRate = (bytesPerSecond: BytesPerSecond) => (sinceNs: Nanos) =>
  (bytesPerSecond * sinceNs) / SECOND;

/** Writes fall evenly on a working set: the more of it is dirty, the fewer of them dirty more. */
export const saturating = (bytesPerSecond: BytesPerSecond, workingSetBytes: Bytes) => (sinceNs: Nanos) =>
  workingSetBytes * (1 - Math.exp((-bytesPerSecond * sinceNs) / SECOND / workingSetBytes));

export interface Ending {
  readonly verdict: Verdict;
  readonly at: Progress;
}

/**
 * Bytes as a fluid: round k sends what round k−1 dirtied, and what it dirties itself is pending on top of
 * what it has still to send. Undefined when the rule has not ended it after so many rounds.
 */
export function run(rule: StopRule, migration: TinyMigration, mostRounds = 1000): Ending | undefined {
  const { guestBytes, bandwidthBytesPerSecond, dirtiedBytes, batchNs = 10 * MS } = migration;
  const rounds: RoundRecord[] = [];
  let toSendBytes = guestBytes;
  let startedNs = 0;
  let sentBefore = 0;
  while (rounds.length < mostRounds) {
    const durationNs = (toSendBytes / bandwidthBytesPerSecond) * SECOND;
    for (let inRoundNs = batchNs; ; inRoundNs += batchNs) {
      const roundEnded = inRoundNs >= durationNs;
      const spentNs = Math.min(inRoundNs, durationNs);
      const sentBytes = (bandwidthBytesPerSecond * spentNs) / SECOND;
      const pendingBytes = Math.min(guestBytes, toSendBytes - sentBytes + dirtiedBytes(spentNs));
      if (roundEnded) rounds.push({ ...round(Math.ceil(toSendBytes / PAGE_BYTES)), durationNs });
      const at: Progress = {
        rounds: [...rounds],
        roundEnded,
        pendingPages: Math.ceil(pendingBytes / PAGE_BYTES),
        pendingBytes,
        elapsedNs: startedNs + spentNs,
        sentBytes: sentBefore + sentBytes,
        bandwidthBytesPerSecond,
        guestBytes,
        deviceBytes: 0,
      };
      const verdict = decided(rule)(at);
      if (verdict) return { verdict, at };
      if (roundEnded) break;
    }
    startedNs += durationNs;
    sentBefore += toSendBytes;
    toSendBytes = dirtiedBytes(durationNs);
  }
  return undefined;
}
