import { formatDuration, formatSize, NANOS_PER_SECOND, type Nanos } from '../units.ts';
import type { Device } from './device.ts';
import { soon } from './look.ts';
import type { Plan } from './plan.ts';
import type { GoOn, Progress, StopRule, Verdict } from './stop/stop-rule.ts';
import { looksWithinRounds, stopRule } from './stop/stops.ts';

/** What of a plan decides when its live rounds end. Without a `stopTimeoutNs` a stop may take as long as it likes. */
export type StopTerms = Pick<
  Plan,
  'stop' | 'timeoutNs' | 'timeoutFrom' | 'onTimeout' | 'stopRateBytesPerSecond' | 'device'
> &
  Partial<Pick<Plan, 'stopTimeoutNs' | 'depthBytes'>>;

/**
 * When the live rounds of one migration end: the stop rule says so, held to what the plan allows.
 *
 * - A stop that would take longer than `maxDowntimeNs` does not begin; the rounds go on, also those of a rule that
 *   has no more of them, until what is left fits or the time-out has passed.
 * - A stop that cannot end within `stopTimeoutNs`, even with a full token bucket, is not begun either: it would be broken off,
 *   so the migration gives up at once.
 * - At the plan's time-out the migration gives up, or stops whatever is left.
 *
 * How long a stop would take is what is pending and what the devices have, at b_d, or at the bandwidth seen if nothing is
 * reserved, and the time of the devices. Pages that hold zeros count as whole ones, because nobody has looked at them yet.
 */
export class StopDecision {
  /** Whether the rule itself is asked within rounds; the time-out passes within rounds too. */
  readonly looksWithin: boolean;
  readonly #terms: StopTerms;
  readonly #rule: StopRule;

  get #device(): Device {
    return this.#terms.device ?? { stateBytes: 0, timeNs: 0 };
  }

  constructor(terms: StopTerms) {
    this.looksWithin = looksWithinRounds(terms.stop);
    this.#terms = terms;
    this.#rule = stopRule(terms.stop);
  }

  /** Before the first round. Only a number of rounds can be over then. */
  begin(progress: Progress): Verdict | GoOn {
    const { stop, timeoutNs } = this.#terms;
    if (stop.rule === 'rounds') return this.ask(progress);
    return { decision: 'go on', pendingBelowBytes: 0, atNs: timeoutNs ?? Number.POSITIVE_INFINITY };
  }

  ask(progress: Progress): Verdict | GoOn {
    const answer = this.#answer(progress);
    const held = answer.decision === 'stop' ? this.#ifItFits(answer, progress) : answer;
    if (held.decision !== 'go on') return held;
    const timeoutNs = this.#terms.timeoutNs ?? Number.POSITIVE_INFINITY;
    if (progress.elapsedNs < timeoutNs) return { ...held, atNs: Math.min(held.atNs, timeoutNs) };
    return this.#timedOut(progress);
  }

  /**
   * All that is dirty waits for the stop: no live round can change anything. Where nothing is dirty, but the devices have more than
   * the rule stops for, time may: its limit rises, or the time-out stops the guest. Until then it goes on, as QEMU does
   * (migration/migration.c, migration_iteration_run).
   * @param answer why it has not stopped
   */
  allWaits(progress: Progress, answer: GoOn): Verdict | GoOn {
    const { pendingBytes, deviceBytes, bandwidthBytesPerSecond } = progress;
    if (pendingBytes === 0 && deviceBytes > 0 && bandwidthBytesPerSecond > 0) {
      if (!this.#isForEver(answer)) {
        return answer.holdsAtEnds ? answer : { ...answer, atNs: Math.min(answer.atNs, soon(progress)) };
      }
      const why = `nothing is dirty, but the devices have ${formatSize(deviceBytes)}, more than the rule stops for`;
      return { decision: 'give up', reason: why };
    }
    const verdict = { decision: 'stop', reason: 'all that is dirty waits for the stop' } as const;
    const held = this.#ifItFits(verdict, progress);
    if (held.decision !== 'go on') return held;
    return { decision: 'give up', reason: `${verdict.reason}, ${this.#tooLong(progress)}` };
  }

  /** Whether an answer stays the same for good, or until the migration gives up at its time-out. */
  #isForEver({ holdsAtEnds = false, atNs }: GoOn): boolean {
    const { timeoutNs, onTimeout } = this.#terms;
    if (timeoutNs !== null && onTimeout === 'stop') return false;
    return holdsAtEnds && atNs >= (timeoutNs ?? Number.POSITIVE_INFINITY);
  }

  #answer(progress: Progress): Verdict | GoOn {
    if (progress.roundEnded || this.looksWithin) {
      return this.#rule(progress) ?? { decision: 'go on', pendingBelowBytes: 0, atNs: soon(progress) };
    }
    return { decision: 'go on', pendingBelowBytes: 0, atNs: Number.POSITIVE_INFINITY };
  }

  #timedOut(progress: Progress): Verdict {
    const { timeoutNs, timeoutFrom, onTimeout } = this.#terms;
    const from = timeoutFrom === undefined ? '' : ` (${timeoutFrom})`;
    const passed = `the timeout of ${formatDuration(timeoutNs!)}${from} has passed with ${progress.pendingPages} pages pending`;
    if (onTimeout !== 'stop') return { decision: 'give up', reason: passed };
    const held = this.#ifItFits({ decision: 'stop', reason: passed }, progress);
    if (held.decision !== 'go on') return held;
    return { decision: 'give up', reason: `${passed}, ${this.#tooLong(progress)}` };
  }

  #ifItFits(verdict: Verdict, progress: Progress): Verdict | GoOn {
    const { stop, stopTimeoutNs = Number.POSITIVE_INFINITY, stopRateBytesPerSecond } = this.#terms;
    const { depthBytes = 0 } = this.#terms;
    const takesNs = this.#stopTakesNs(progress);
    const { maxDowntimeNs = Number.POSITIVE_INFINITY } = stop;
    if (takesNs > maxDowntimeNs) {
      const rate = stopRateBytesPerSecond ?? progress.bandwidthBytesPerSecond;
      const { stateBytes, timeNs } = this.#device;
      const fittingBytes = ((maxDowntimeNs - timeNs) * rate) / NANOS_PER_SECOND - stateBytes;
      const pendingBelowBytes = Math.max(0, fittingBytes);
      return { decision: 'go on', pendingBelowBytes, atNs: Number.POSITIVE_INFINITY, holdsAtEnds: true };
    }
    const unsavedBytes = Math.max(0, progress.pendingBytes - depthBytes);
    if (this.#stopTakesNs({ ...progress, pendingBytes: unsavedBytes }) <= stopTimeoutNs) return verdict;
    const most = `longer than migration.stopTimeout allows, ${formatDuration(stopTimeoutNs)}`;
    return {
      decision: 'give up',
      reason: `${verdict.reason}, but the stop would take ${formatDuration(takesNs)}, ${most}`,
    };
  }

  #tooLong(progress: Progress): string {
    const takesNs = this.#stopTakesNs(progress);
    return `but the stop would take ${formatDuration(takesNs)}, longer than stop.maxDowntime allows`;
  }

  /** Without what is pending where nothing is reserved and no bandwidth has been seen yet, so that nobody can tell. */
  #stopTakesNs({ pendingBytes, bandwidthBytesPerSecond }: Progress): Nanos {
    const { stateBytes, timeNs } = this.#device;
    const rate = this.#terms.stopRateBytesPerSecond ?? bandwidthBytesPerSecond;
    return rate === 0 ? timeNs : ((pendingBytes + stateBytes) * NANOS_PER_SECOND) / rate + timeNs;
  }
}
