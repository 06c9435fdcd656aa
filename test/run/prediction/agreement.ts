import { migrateVirtually } from '../../../src/run/ensemble.ts';
import type { Prediction } from '../../../src/run/predict.ts';
import { predictions } from '../../../src/run/predictions.ts';
import { virtualFleet } from '../../../src/run/virtual-fleet.ts';
import { experimentOf, type ScenarioCell, scenarioOf, seeded } from '../../../src/scenario/scenario.ts';

/**
 * Of so many runs the median is taken. Where it contradicts the prediction, more say how likely a stop in time is, and still more
 * where these leave it open on which side of a bound that lies.
 */
const FEW_RUNS = 3;
const MANY_RUNS = 150;
const MOST_RUNS = 1000;
/** Outside these the stop in time is a matter of course, or is not. */
const [UNLIKELY, LIKELY] = [0.02, 0.98];

export interface Compared {
  readonly cell: ScenarioCell;
  readonly prediction: Prediction;
  /** Of the runs. */
  readonly completedShare: number;
  readonly medianDowntimeNs: number;
  readonly medianTotalNs: number;
  readonly agrees: boolean;
}

/** Each guest of a scenario as the model predicts it, and as it fares in virtual time. */
export function compared(document: Readonly<Record<string, unknown>>): readonly Compared[] {
  const { cells } = experimentOf(scenarioOf(document, { name: 'random' }));
  const predicted = predictions(cells);
  const seen = seenOften(cells, predicted);
  return cells.map((cell, index) => {
    const [prediction, found] = [predicted[index]!, seen[index]!];
    return {
      ...{ cell, prediction, ...found },
      agrees: isChance(found.completedShare) || agree(prediction, found.completedShare),
    };
  });
}

/** As many runs as it takes to say whether each prediction is right. */
function seenOften(cells: readonly ScenarioCell[], predictions: readonly Prediction[]) {
  let seen = runs(cells, 1, FEW_RUNS);
  const isDoubtful = () => cells.some((_, index) => !agree(predictions[index]!, seen[index]!.completedShare));
  if (!isDoubtful()) return seen;
  seen = runs(cells, 1, MANY_RUNS);
  const isOpen = seen.some(({ completedShare: p }) => p > 0 && p < 1 && (p < 0.05 || p > 0.95));
  return isDoubtful() && isOpen ? runs(cells, 1, MOST_RUNS) : seen;
}

function isChance(completedShare: number): boolean {
  return completedShare > UNLIKELY && completedShare < LIKELY;
}

function agree({ course }: Prediction, completedShare: number): boolean {
  return course.converges === completedShare > 0.5;
}

function runs(cells: readonly ScenarioCell[], firstSeed: number, count: number) {
  const results = Array.from({ length: count }, (_, run) => {
    const specs = cells.map((cell, member) => seeded(cell, firstSeed + run * cells.length + member));
    if (cells.length === 1 && cells[0]!.share === null) return [migrateVirtually(specs[0]!)];
    const members = specs.map((spec, member) => ({ spec, share: cells[member]!.share }));
    return [...virtualFleet(members)].map(({ result }) => result);
  });
  return cells.map((_, member) => {
    const own = results.map((one) => one[member]!);
    for (const { outcome, reason } of own) if (outcome === 'failed') throw new Error(reason);
    const completed = own.filter(({ outcome }) => outcome === 'completed');
    return {
      completedShare: completed.length / count,
      medianDowntimeNs: upperMedian(completed.map(({ downtimeNs }) => downtimeNs)),
      medianTotalNs: upperMedian(completed.map(({ totalNs }) => totalNs)),
    };
  });
}

function upperMedian(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
