import { workerData } from 'piscina';
import type { PredictedMachine } from '../../core/machine-costs.ts';
import type { MigrationResult } from '../../core/migration/migration-result.ts';
import type { Nanos } from '../../core/units.ts';
import { threadCpuNs } from '../../platform/thread-clock.ts';
import { type UsedFile, useAgain } from '../../platform/used-files.ts';
import { migrateVirtually } from '../../run/ensemble.ts';
import { predict } from '../../run/predict.ts';
import { type ScenarioCell, seeded } from '../../scenario/scenario.ts';
import type { Setting } from '../../scenario/settings.ts';
import { cellOf, type PlanSubject } from './plan-subject.ts';

/** What a thread is told of what is to be planned. */
export interface PlanThread {
  readonly subject: PlanSubject;
  readonly machine: PredictedMachine | undefined;
  readonly use: readonly UsedFile[];
}

/** Migrations in virtual time, one a seed; or the model's answer. */
export interface PlanTask {
  readonly settings: readonly Setting[];
  readonly seeds?: readonly number[];
  /** Which b_d keeps the downtime within this, with this probability? */
  readonly asked?: { readonly limitNs: number; readonly probability: number };
}

/** What came of a migration; null: it did not complete. */
export type Trial = { readonly downtimeNs: number; readonly totalNs: number } | null;

/** Times are null where the model has no stop. */
export interface Modelled {
  readonly stopRate: number | null;
  /** Without the stop. */
  readonly liveNs: number | null;
}

export interface PlanResult {
  readonly trials: readonly Trial[];
  readonly modelled: Modelled | null;
  /** What it took of a processor: on a busy machine no more than on a quiet one. */
  readonly cpuNs: Nanos;
}

/** The model of a recording is a replay: so many migrations from instants of it tell which choices are worth trying. */
const REPLAYED = 16;

const { subject, machine, use }: PlanThread = workerData;
await useAgain(use);

/** The one that was resolved last. */
let last: { readonly key: string; readonly cell: ScenarioCell } | undefined;

function cellAt(settings: readonly Setting[]): ScenarioCell {
  const key = JSON.stringify(settings);
  if (last?.key !== key) last = { key, cell: { ...cellOf(subject, settings), machine } };
  return last.cell;
}

export default function ({ settings, seeds = [], asked }: PlanTask): PlanResult {
  const beganNs = threadCpuNs();
  const cell = cellAt(settings);
  const trials = seeds.map((seed): Trial => {
    const { outcome, downtimeNs, totalNs } = migrateVirtually(seeded(cell, seed));
    return outcome === 'completed' ? { downtimeNs, totalNs } : null;
  });
  const modelled = asked ? modelledAt(cell, asked) : null;
  return { trials, modelled, cpuNs: threadCpuNs() - beganNs };
}

function modelledAt(cell: ScenarioCell, { limitNs, probability }: NonNullable<PlanTask['asked']>): Modelled {
  const prediction = predict(cell, cell.guest.program.kind === 'trace' ? replayed(cell) : undefined);
  const { totalNs, downtimeNs } = prediction.course;
  if (totalNs === null || downtimeNs === null) return { stopRate: null, liveNs: null };
  return {
    stopRate: prediction.requiredStopRateBytesPerSecond(limitNs, probability),
    liveNs: totalNs - downtimeNs,
  };
}

function replayed(cell: ScenarioCell): readonly MigrationResult[] {
  return Array.from({ length: REPLAYED }, (_, index) => migrateVirtually(seeded(cell, index + 1)));
}
