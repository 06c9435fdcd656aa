import { type CpuPlan, schedEntities } from '../core/cpu/cpu-plan.ts';
import { shareOf } from '../core/cpu/reservation.ts';
import { stopBound } from '../core/cpu/supply.ts';
import { orderNames, orderRegistry } from '../core/migration/order/orders.ts';
import type { RunMetadata } from '../core/migration/record.ts';
import { RegisteredCodeFailed } from '../core/registry.ts';
import { type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { linearCurve } from '../model/curve.ts';
import { type ModelInput, type ModelPrediction, predictMigration } from '../model/predictor.ts';
import { Failure } from '../platform/failure.ts';
import type { ScenarioCell } from '../scenario/scenario.ts';
import { curveOf } from '../workload/dirty-curve.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { meanSpeed } from '../workload/program-clock.ts';
import { modelledPages } from './modelled-pages.ts';

/** What the model predicts, and where its assumptions differ from the scenario. */
export interface Prediction extends ModelPrediction {
  /**
   * With a sender's reservation, what the stop does not exceed with probability 0.99 however the sender's budgets
   * fall: max over k of sbf⁻¹(k·w) + (n − k + 1)·T_d. null without.
   */
  readonly downtimeBoundNs: Nanos | null;
  readonly assumes: readonly string[];
}

/** What the model needs from a scenario. */
type Predictable = Pick<ScenarioCell, 'guest' | 'plan' | 'cpu'>;

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
    const { downtimeNs, downtimeP99Ns, totalNs } = predict(scenario).course;
    if (downtimeNs === null || downtimeP99Ns === null || totalNs === null) return null;
    return { downtimeNs, downtimeP99Ns, totalNs };
  } catch (cause) {
    if (cause instanceof RegisteredCodeFailed) return null;
    throw cause;
  }
}

/** The model's own seed: its answer is the scenario's, the same for every run of it. */
const MODEL_SEED = 1;

/** The model's answer for a scenario. @throws Failure nothing limits how fast pages leave. */
export function predict(scenario: Predictable): Prediction {
  const { guest, plan, cpu } = scenario;
  const spec = { guest: { ...guest, seed: MODEL_SEED }, plan: { ...plan, seed: MODEL_SEED }, cpu };
  if (!canBePredicted(spec)) {
    throw new Failure('link.rate: the model needs a rate, or a sender.cpuPerPage; found unlimited');
  }
  const { stop, timeoutNs, timeoutFrom, onTimeout, stopTimeoutNs, device } = plan;
  const assumes: string[] = [];
  const cpuBytesPerSecond =
    (plan.pageBytes * NANOS_PER_SECOND * senderShare(cpu, assumes)) / cpu.cpuPerPageNs;
  const limited = (linkBytesPerSecond: BytesPerSecond | null) =>
    Math.min(linkBytesPerSecond ?? cpuBytesPerSecond, cpuBytesPerSecond);
  const stopRateBytesPerSecond = limited(plan.stopRateBytesPerSecond);
  const prediction = predictMigration({
    pages: guest.pages,
    zeroPages: zeroPagesOf(spec),
    pageSizeBytes: guest.pageSizeBytes,
    overheadBytes: plan.pageBytes - guest.pageSizeBytes,
    rateBytesPerSecond: limited(plan.rateBytesPerSecond),
    stopRateBytesPerSecond,
    guest: modelledGuest(spec, assumes),
    ...{ stop, timeoutNs, timeoutFrom, onTimeout, stopTimeoutNs, device },
  });
  const pagesP99 =
    ((prediction.course.downtimeP99Ns ?? 0) * stopRateBytesPerSecond) / (plan.pageBytes * NANOS_PER_SECOND);
  const bounded = cpu.sender !== null && cpu.cpuPerPageNs > 0 && prediction.stop !== null;
  return {
    ...prediction,
    downtimeBoundNs: bounded
      ? stopBound({
          pages: Math.round(pagesP99),
          cpuPerPageNs: cpu.cpuPerPageNs,
          pageLinkNs:
            (plan.pageBytes * NANOS_PER_SECOND) / (plan.stopRateBytesPerSecond ?? Number.POSITIVE_INFINITY),
          reservation: cpu.sender,
        })
      : null,
    assumes,
  };
}

/**
 * The share of a processor that the sender can count on: its reservation; without one, as much as everybody else
 * on its processor gets of what reservations leave. The guest, which sleeps most of the time, is not counted.
 */
function senderShare(cpu: CpuPlan, assumes: string[]): number {
  if (cpu.cpuPerPageNs === 0) return 1;
  if (cpu.sender) return shareOf(cpu.sender);
  const all = schedEntities(cpu);
  const { processor } = all.find(({ name }) => name === 'sender')!;
  const here = all.filter((other) => other.processor === processor);
  const reserved = here.reduce((sum, { reservation }) => sum + (reservation ? shareOf(reservation) : 0), 0);
  const hogs = here.filter(({ kind }) => kind === 'hog').length;
  if (hogs > 0) assumes.push('sender and hogs share the processor equally');
  return (1 - reserved) / (1 + hogs);
}

function zeroPagesOf({ guest }: MigrationSpec): number {
  const { program, pages, zeroPages } = guest;
  if (program.kind !== 'dirty-curve') return zeroPages;
  return zeroPages + (program.zeroSampledPages * pages) / program.sampledPages;
}

function modelledGuest(spec: MigrationSpec, assumes: string[]): ModelInput['guest'] {
  const { guest, plan } = spec;
  const { program } = guest;
  const speed = meanSpeed(guest.bursts);
  if (guest.bursts) assumes.push('bursts of the guest are spread evenly');
  switch (program.kind) {
    case 'dirty-curve': {
      const dirtyPages = curveOf(program, guest.pages);
      return { kind: 'curve', dirtyPages: (ns) => dirtyPages(ns * speed) };
    }
    case 'sequential':
    case 'saturating':
      if (plan.clear !== 'round') assumes.push('dirty bits are cleared once a round');
      return { kind: 'curve', dirtyPages: linearCurve(program.writesPerSecond * speed, program.pages) };
    case 'stream': {
      if (plan.clear !== 'round') assumes.push('dirty bits are cleared once a round');
      const copiesPerSecond = (speed * program.pagesPerFrame * NANOS_PER_SECOND) / program.framePeriodNs;
      return { kind: 'curve', dirtyPages: linearCurve(copiesPerSecond, program.bufferPages) };
    }
    default:
      return independentPages(spec, assumes);
  }
}

/** Pages written independently at their long-run rates, which the order and the deferral are taken to know. */
function independentPages(spec: MigrationSpec, assumes: string[]): ModelInput['guest'] {
  const { guest, plan } = spec;
  if (guest.program.kind === 'trace')
    assumes.push('every page is written independently at its recorded rate');
  if (plan.heat === 'estimated') assumes.push('write rates are known');
  if (typeof plan.clear === 'object') assumes.push('dirty bits are cleared once a round');
  if (plan.skip) assumes.push('no page is skipped');
  if (orderRegistry.get(plan.order).dependsOnOthers && !orderNames.includes(plan.order)) {
    assumes.push(`order ${plan.order} goes by the heats of pages alone`);
  }
  return { kind: 'rates', ...modelledPages(spec), clear: plan.clear === 'page' ? 'page' : 'round' };
}
