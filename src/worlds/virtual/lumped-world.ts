import type { Slice } from '../../core/cpu/slice.ts';
import type { Ceiling } from '../../core/link/ceiling.ts';
import type { LumpedBatch, LumpedPages } from '../../core/migration/lumped/lumped-pages.ts';
import type { Measurements } from '../../core/migration/migration-result.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import type { Nanos } from '../../core/units.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { ProgramClock } from '../../workload/program-clock.ts';
import type { World } from '../world.ts';
import { LumpedMemory } from './lumped-memory.ts';
import { inTime, measured, sentDevice } from './migration-end.ts';
import { PredictedTimes } from './predicted-times.ts';
import { askDestination, carryOutHandover, type HandoverClock } from './virtual-handover.ts';
import { VirtualLink } from './virtual-link.ts';

/**
 * Virtual time for huge guests: instead of every page, it knows how many pages of each stratum are in which state. Counts are
 * drawn as those of the page-exact world are distributed, at a cost of the strata and the looks, not of the pages.
 */
export class LumpedWorld implements World {
  readonly startedAt = new Date(0).toISOString();
  readonly #spec: MigrationSpec;
  readonly #memory: LumpedMemory;
  readonly #clock: ProgramClock;
  readonly #link: VirtualLink;
  #now: Nanos = 0;
  #stoppedAtNs: Nanos | undefined;
  readonly #times: PredictedTimes;
  /** Nobody competes for a processor. */
  readonly #passing: HandoverClock = {
    now: () => this.#now,
    passes: (ns) => {
      this.#now += ns;
    },
    works: (ns) => {
      this.#now += ns;
    },
  };

  /** @param linkWindows whether the link's record shall say what left in windows */
  constructor(spec: MigrationSpec, linkWindows: boolean) {
    this.#spec = spec;
    this.#clock = new ProgramClock(spec.guest);
    this.#times = new PredictedTimes(spec);
    this.#memory = new LumpedMemory(spec, this.#clock);
    this.#link = new VirtualLink(spec.plan.depthBytes, linkWindows, spec.linkLatencyNs);
  }

  perform(step: Step): Promise<StepResult> {
    return Promise.resolve(this.carryOut(step));
  }

  carryOut(step: Step): StepResult {
    return this.#carryOut(step as Step<unknown> as Step<LumpedBatch>) as StepResult;
  }

  #carryOut(step: Step<LumpedBatch>): StepResult<LumpedPages> | StepResult {
    switch (step.kind) {
      case 'observe':
        this.#now += step.windowNs;
        this.#draw();
        this.#memory.take();
        return this.#counts(step.windowNs);
      case 'learn':
        // What is known of its pages, the strata have been made by.
        return { kind: 'learned', now: this.#now, rates: { writesPerSecond: new Float64Array() } };
      case 'track':
        this.#draw();
        this.#memory.track();
        return this.#counts();
      case 'send':
        return this.#inTime(this.#send(step));
      case 'clear':
        return { kind: 'failed', now: this.#now, why: 'chunks of pages expected by number, found counts' };
      case 'wait':
        this.#now += step.forNs;
        return { kind: 'done', now: this.#now };
      case 'harvest': {
        this.#draw();
        const counts = this.#counts();
        if (step.take) this.#memory.take();
        return counts;
      }
      case 'stop':
        this.#draw();
        this.#stoppedAtNs = this.#now;
        this.#link.waitsUntilNs = this.#now + this.#spec.plan.stopTimeoutNs;
        this.#now += this.#times.dirtyScanNs;
        return this.#counts(this.#times.dirtyScanNs);
      case 'device': {
        const sent = sentDevice(step, this.#link, this.#now, this.#spec);
        this.#now = sent.now;
        return this.#inTime(sent);
      }
      case 'hand over':
        return this.#inTime(this.#handOver(step));
      case 'abort': {
        const measurements = this.#measurements();
        this.#stoppedAtNs = undefined;
        return { kind: 'aborted', now: this.#now, owner: 'source', measurements };
      }
    }
  }

  allow(ceilings: readonly Ceiling[]): void {
    this.#link.ceilings = ceilings.map((one) => ({ ...one, fromNs: one.fromNs + this.#now }));
  }

  /** Nobody competes for a processor. */
  slices(): readonly Slice[] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Slice by slice, until the step has to end or the link allows nothing more. */
  #send(step: Extract<Step<LumpedBatch>, { kind: 'send' }>): StepResult {
    const { pages: batch, untilNs = Number.POSITIVE_INFINITY } = step;
    const { plan, guest } = this.#spec;
    const headerBytes = plan.pageBytes - guest.pageSizeBytes;
    let [sentPages, zeroPages] = [0, 0];
    const isStopped = this.#stoppedAtNs !== undefined;
    if (isStopped) this.#now += this.#times.pauseNs;
    this.#memory.passOver(batch);
    this.#link.setRate(step.rateBytesPerSecond, this.#now);
    for (const slice of batch.slices()) {
      const zeros = slice.reduce((sum, count, index) => sum + (batch.shares[index]!.isZero ? count : 0), 0);
      const whole = slice.reduce((sum, count) => sum + count, 0) - zeros;
      // Pages of one size leave as a row.
      const row = this.#link.sendRuns(this.#now, plan.pageBytes, whole, untilNs);
      const left = row.sent === whole ? zeros : 0;
      const zeroRow = this.#link.sendRuns(row.untilNs, headerBytes, left, untilNs);
      this.#now = zeroRow.untilNs;
      const sent = row.sent + zeroRow.sent;
      const isCut = sent < whole + zeros;
      const clears = step.clears && !isStopped;
      this.#memory.sent(
        batch,
        isCut ? batch.firstOf(slice, sent) : slice,
        clears ? { departures: row.runs, ranNs: this.#now } : undefined,
      );
      sentPages += sent;
      zeroPages += zeroRow.sent;
      if (!isCut) continue;
      if (this.#now >= untilNs) break;
      return this.#link.closed(this.#now, plan, isStopped);
    }
    if (step.endsRound) {
      this.#now = this.#link.passedNs(this.#now);
      if (!isStopped) askDestination(this.#passing, this.#times);
    }
    const bytes = (sentPages - zeroPages) * plan.pageBytes + zeroPages * headerBytes;
    return { kind: 'sent', now: this.#now, sentPages, zeroPages, bytes };
  }

  #handOver({ verify }: Extract<Step, { kind: 'hand over' }>): StepResult {
    const instants = carryOutHandover(this.#passing, this.#times, this.#spec, verify);
    return { kind: 'handed over', now: this.#now, ...instants, measurements: this.#measurements() };
  }

  /** A stopped guest writes nothing. */
  #draw(): void {
    if (this.#stoppedAtNs === undefined) this.#memory.draw(this.#now);
  }

  #counts(windowNs: Nanos = 0): StepResult<LumpedPages> {
    return { kind: 'dirty', now: this.#now, dirty: this.#memory.counts(), windowNs };
  }

  #inTime(result: StepResult): StepResult {
    const ended = inTime(result, this.#spec, this.#stoppedAtNs);
    this.#now = ended.now;
    return ended;
  }

  #measurements(): Measurements {
    const time = { now: this.#now, stoppedAtNs: this.#stoppedAtNs };
    return measured(this.#spec, this.#clock, time, { link: this.#link.record });
  }
}
