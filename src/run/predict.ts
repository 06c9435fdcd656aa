import { stopBound, timeToSupply } from '../core/cpu/supply.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { RunMetadata } from '../core/migration/record.ts';
import { RegisteredCodeFailed } from '../core/registry.ts';
import { type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { type ModelInput, type ModelPrediction, predictMigration } from '../model/predictor.ts';
import { replayedCourse } from '../model/replayed-course.ts';
import { requiredStopRate } from '../model/required-rate.ts';
import { Failure, TooLarge } from '../platform/failure.ts';
import type { ScenarioCell } from '../scenario/scenario.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { GuestSpec } from '../workload/programs.ts';
import { type CpuSupply, cpuSupplyOf } from './prediction/cpu-supply.ts';
import { whyNoStopRate } from './prediction/impossible.ts';
import { leftOutOf } from './prediction/left-out.ts';
import { linkSupplyOf } from './prediction/link-supply.ts';
import { modelledGuest, zeroPagesOf } from './prediction/modelled-guest.ts';
import { isRecorded, replayedPrediction } from './prediction/replayed-guest.ts';
import { type ModelledStop, modelledStop } from './prediction/stop-times.ts';

/** What the model predicts, and where it differs from the scenario. */
export interface Prediction extends ModelPrediction {
  /**
   * With a sender's reservation, what the stop does not exceed with probability 0.99 however the sender's budgets
   * fall: max over k of sbf⁻¹(k·w) + (n − k + 1)·T_d, and sbf⁻¹ of the hand-over. null without.
   */
  readonly downtimeBoundNs: Nanos | null;
  /** What is simplified. */
  readonly assumes: readonly string[];
  /** What the scenario says and the figures do not depend on. */
  readonly leftOut: readonly string[];
  /** The least whole b_d that keeps the downtime within a limit with this probability; null: none does. */
  requiredStopRateBytesPerSecond(limitNs: Nanos, probability: number): BytesPerSecond | null;
  /** Why no b_d keeps the downtime within a limit with this probability, if none does. */
  whyNoStopRate(limitNs: Nanos, probability: number): string;
}

/** What the model needs from a scenario. */
type Predictable = Pick<ScenarioCell, 'guest' | 'plan' | 'cpu'> & Partial<ScenarioCell>;

/** Whether the link or the sender's CPU time limits how fast pages leave. */
export function canBePredicted({ plan, cpu }: Pick<ScenarioCell, 'plan' | 'cpu'>): boolean {
  const limited = plan.rateBytesPerSecond !== null && plan.stopRateBytesPerSecond !== null;
  return limited || cpu.cpuPerPageNs > 0;
}

/**
 * The model's figures as a record carries them; null where it has none: no rate, no convergence, or an order or a rule
 * that fails, which the migration itself will say.
 */
export function predictedOf(scenario: Predictable): RunMetadata['predicted'] {
  if (!canBePredicted(scenario)) return null;
  try {
    const { course, downtimeBoundNs, assumes, leftOut } = predict(scenario);
    const { downtimeNs, downtimeP99Ns, totalNs } = course;
    if (downtimeNs === null || downtimeP99Ns === null || totalNs === null) return null;
    const bound = downtimeBoundNs === null ? {} : { downtimeBoundNs };
    return { downtimeNs, downtimeP99Ns, totalNs, ...bound, assumes, leftOut };
  } catch (cause) {
    if (cause instanceof RegisteredCodeFailed || cause instanceof TooLarge) return null;
    throw cause;
  }
}

/** The model's own seed: its answer is the scenario's, the same for every run of it. */
const MODEL_SEED = 1;

/**
 * The model's answer for a scenario.
 * @param carriedOut migrations of it in virtual time; if there are any, the answer is theirs
 * @throws Failure nothing limits how fast pages leave.
 */
export function predict(scenario: Predictable, carriedOut?: readonly MigrationResult[]): Prediction {
  const spec: MigrationSpec = {
    ...scenario,
    guest: { ...scenario.guest, seed: MODEL_SEED },
    plan: { ...scenario.plan, seed: MODEL_SEED },
  };
  if (!canBePredicted(spec)) {
    throw new Failure('link.rate: the model needs a rate, or a sender.cpuPerPage; found unlimited');
  }
  const { guest, plan } = spec;
  const { timeoutNs, timeoutFrom, onTimeout, stopTimeoutNs, device } = plan;
  const assumes: string[] = [];
  const link = linkSupplyOf(spec);
  if (link.drops) assumes.push('drops of the link are spread evenly over the live rounds');
  const supply = cpuSupplyOf(spec, link.passedBytesPerSecond);
  const ofLink = link.liveBytesPerSecond(plan.rateBytesPerSecond);
  const ofSeenLink = link.seenBytesPerSecond(plan.rateBytesPerSecond);
  const rateBytesPerSecond = Math.min(ofLink, supply.mostBytesPerSecond(ofLink));
  const stop = modelledStop(spec, link, supply, rateBytesPerSecond);
  const ofStop = { stopTimes: stop.times, stopTimeoutNs };
  const ofLiveRounds = { rateBytesPerSecond, overheadBytes: plan.pageBytes - guest.pageSizeBytes };
  const cpuSpeed = supply.guestSpeed(rateBytesPerSecond);
  /** Notes what it assumes, if anybody wants to know. */
  const ofReplay = { pageBytes: plan.pageBytes, ...ofLiveRounds, ...ofStop };
  const predictedAt: (stopRateBytesPerSecond: BytesPerSecond, notes?: string[]) => ModelPrediction =
    carriedOut
      ? (stopRateBytesPerSecond) => replayedCourse(carriedOut, { ...ofReplay, stopRateBytesPerSecond })
      : isRecorded(spec)
        ? (stopRateBytesPerSecond, notes = []) =>
            replayedPrediction(spec, { ...ofReplay, stopRateBytesPerSecond }, cpuSpeed, notes)
        : modelAt({
            pages: guest.pages,
            zeroPages: zeroPagesOf(spec),
            pageSizeBytes: guest.pageSizeBytes,
            readAfterSlots: Math.max(0, 1 - rateBytesPerSecond / link.passedBytesPerSecond),
            ...(link.drops && {
              seenBytesPerSecond: Math.min(ofSeenLink, supply.mostBytesPerSecond(ofSeenLink)),
            }),
            ...{ ...ofLiveRounds, ...ofStop },
            zeroPageSlots: zeroPageSlots(plan, guest, rateBytesPerSecond, ofLink, supply),
            guest: modelledGuest(
              spec,
              cpuSpeed,
              (plan.pageBytes * NANOS_PER_SECOND) / rateBytesPerSecond,
              assumes,
            ),
            ...{ stop: plan.stop, timeoutNs, timeoutFrom, onTimeout, device },
          });
  const prediction = predictedAt(plan.stopRateBytesPerSecond ?? Number.POSITIVE_INFINITY, assumes);
  return {
    ...prediction,
    downtimeBoundNs: link.drops ? null : boundOf(spec, prediction, stop, link.passNs[0]!),
    assumes,
    leftOut: leftOutOf({ ...scenario, ...spec }),
    requiredStopRateBytesPerSecond: (limitNs, probability) =>
      requiredStopRate(predictedAt, prediction, plan.stop, limitNs, probability),
    whyNoStopRate: (limitNs, probability) =>
      whyNoStopRate(predictedAt(Number.MAX_SAFE_INTEGER), stop, limitNs, probability),
  };
}

function modelAt(input: Omit<ModelInput, 'stopRateBytesPerSecond'>) {
  return (stopRateBytesPerSecond: BytesPerSecond): ModelPrediction =>
    predictMigration({ ...input, stopRateBytesPerSecond });
}

/** A page of zeros is its header only on the link, but a page like any other for the sender's processor. */
function zeroPageSlots(
  { pageBytes }: Plan,
  { pageSizeBytes }: GuestSpec,
  rateBytesPerSecond: BytesPerSecond,
  ofLink: BytesPerSecond,
  { mostBytesPerSecond }: CpuSupply,
): number {
  const onLink = ((pageBytes - pageSizeBytes) * rateBytesPerSecond) / (pageBytes * ofLink);
  return Math.max(onLink, rateBytesPerSecond / mostBytesPerSecond(ofLink));
}

/** What the stop takes at most, given the pages that are not exceeded with probability 0.99. */
function boundOf(
  { plan, cpu }: MigrationSpec,
  { stop }: ModelPrediction,
  { fixed }: ModelledStop,
  passNs: (bytes: number, rateBytesPerSecond: number) => Nanos,
): Nanos | null {
  const { sender: reservation, cpuPerPageNs, cpuPerHandoverNs } = cpu;
  if (reservation === null || stop === null || cpuPerPageNs + cpuPerHandoverNs === 0) return null;
  const stopRate = plan.stopRateBytesPerSecond ?? Number.POSITIVE_INFINITY;
  const others = fixed.reduce((sum, { key, ns }) => (key === 'sender.cpuPerHandover' ? sum : sum + ns), 0);
  return (
    stopBound({
      pages: stop.pagesLeftQuantile(0.99),
      cpuPerPageNs,
      pageLinkNs: passNs(plan.pageBytes, stopRate),
      reservation,
    }) +
    passNs(plan.device?.stateBytes ?? 0, stopRate) +
    timeToSupply(reservation, cpuPerHandoverNs) +
    others
  );
}
