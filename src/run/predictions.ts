import type { MigrationResult } from '../core/migration/migration-result.ts';
import { NANOS_PER_SECOND } from '../core/units.ts';
import { type ScenarioCell, seeded } from '../scenario/scenario.ts';
import { migrateVirtually } from './ensemble.ts';
import { type Prediction, predict } from './predict.ts';
import { virtualFleet } from './virtual-fleet.ts';

/** So many migrations are held against the model's verdict; and so many decide it, if one of those contradicts. */
const FEW = 3;
const ENOUGH = 21;

/** Fewer where all of them together would send more pages than this; none where one does. */
const PAGES_OF_FEW = 2 ** 18;
const PAGES_OF_ENOUGH = 2 ** 20;

/** None of the seeds that `run` begins with, so that the two can be compared. */
const FIRST_SEED = 1_000_000_007;

/**
 * The model's answers for the cells of an experiment. Where a migration takes virtual time next to no effort, a few are
 * carried out: of a guest of few pages, one page may decide whether its rounds go on, which an expectation does not know. If
 * one of them contradicts the model's verdict, more of them give it.
 * @param cells guests of one link are neighbours
 * @throws Failure as `predict`
 */
export function predictions(cells: readonly ScenarioCell[]): readonly Prediction[] {
  const answers: Prediction[] = [];
  while (answers.length < cells.length) {
    answers.push(...heldAgainstRuns(sharersFrom(cells, answers.length)));
  }
  return answers;
}

/** The cell at an index, with those that share its link. */
function sharersFrom(cells: readonly ScenarioCell[], from: number): readonly ScenarioCell[] {
  const { share, fleet } = cells[from]!;
  if (share === null) return [cells[from]!];
  return cells.slice(from).filter((each) => each.share !== null && each.fleet === fleet);
}

function heldAgainstRuns(sharers: readonly ScenarioCell[]): readonly Prediction[] {
  const modelled = sharers.map((cell) => predict(cell));
  const pages = sharers.reduce((sum, cell, index) => sum + pagesSentOf(cell, modelled[index]!), 0);
  const count = Math.min(FEW, Math.floor(PAGES_OF_FEW / pages));
  if (!(count > 0)) return modelled;
  const few = carriedOut(sharers, 0, count);
  const isContradicted = modelled.some(({ course }, index) =>
    few.some((run) => isCompleted(run[index]!) !== course.converges),
  );
  if (!isContradicted) return modelled;
  const enough = Math.min(ENOUGH, Math.floor(PAGES_OF_ENOUGH / pages));
  const runs = [...few, ...carriedOut(sharers, count, enough)];
  // What a rule or an order of somebody's own fails with, the migration itself will say.
  if (runs.some((run) => run.some(({ outcome }) => outcome === 'failed'))) return modelled;
  return sharers.map((cell, index) => {
    const own = runs.map((run) => run[index]!);
    return decided(cell, modelled[index]!, own);
  });
}

function decided(cell: ScenarioCell, modelled: Prediction, runs: readonly MigrationResult[]): Prediction {
  const completed = runs.filter(isCompleted).length;
  const convergesMostly = completed > runs.length / 2;
  const note = `${completed} of ${runs.length} migrations in virtual time converge`;
  if (modelled.course.converges === convergesMostly) {
    const isChance = completed > 0 && completed < runs.length;
    if (!isChance || modelled.course.convergesProbability !== null) return modelled;
    const course = { ...modelled.course, convergesProbability: completed / runs.length };
    return { ...modelled, course, assumes: [...modelled.assumes, note] };
  }
  const ofRuns = predict(cell, runs);
  return {
    ...ofRuns,
    assumes: [
      `${note}, and the figures are theirs; the model follows means, and chance or a few pages decide here`,
    ],
  };
}

/** How many pages it sends until it ends; NaN or infinite where that is not known. */
function pagesSentOf({ plan }: ScenarioCell, { course }: Prediction): number {
  const lastsNs = course.totalNs ?? plan.timeoutNs ?? Number.POSITIVE_INFINITY;
  const rate = plan.rateBytesPerSecond ?? Number.NaN;
  return (lastsNs * rate) / (plan.pageBytes * NANOS_PER_SECOND);
}

/** Of each run, what came of each guest. */
function carriedOut(
  sharers: readonly ScenarioCell[],
  from: number,
  to: number,
): readonly (readonly MigrationResult[])[] {
  return Array.from({ length: to - from }, (_, index) => {
    const firstSeed = FIRST_SEED + (from + index) * sharers.length;
    const specs = sharers.map((cell, member) => seeded(cell, firstSeed + member));
    if (sharers[0]!.share === null) return [migrateVirtually(specs[0]!)];
    const members = specs.map((spec, member) => ({ spec, share: sharers[member]!.share }));
    return [...virtualFleet(members)].map(({ result }) => result);
  });
}

function isCompleted({ outcome }: MigrationResult): boolean {
  return outcome === 'completed';
}
