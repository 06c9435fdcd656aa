import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import { predict } from '../../../src/run/predict.ts';
import { loadExperiment, type ScenarioCell, seeded } from '../../../src/scenario/scenario.ts';
import type { Sample } from '../../fixtures/recordings.ts';
import { recordedCell } from './recorded-cell.ts';

const { cells } = loadExperiment(resolve(import.meta.dirname, '../../../config/10-recordings.yaml'));
const RUNS = 80;

const nameOf = ({ guest, plan }: ScenarioCell) => {
  const rounds = plan.stop.rule === 'rounds' ? plan.stop.rounds : Number.NaN;
  return `${guest.name}, order ${plan.order}, K = ${rounds}${plan.defer ? ', with deferral' : ''}`;
};

// A page more or less is more than 5 % of a stop of a few pages.
test.each(
  cells.filter((_, index) => index % 3 === 0).map((cell) => ({ name: nameOf(cell), cell })),
)('$name: the model is within a twentieth and two pages of virtual time, and its band holds 88 in a hundred runs or more', ({
  cell,
}) => {
  const { course, stop } = predict(cell);
  const runs = Array.from({ length: RUNS }, (_, run) => migrateVirtually(seeded(cell, run + 1)));
  const left = runs.map((run) => run.stop.pages).sort((one, other) => one - other);
  const median = (left[RUNS / 2 - 1]! + left[RUNS / 2]!) / 2;
  expect(course.converges).toBe(true);
  expect(Math.abs(stop!.pagesLeftQuantile(0.5) - median)).toBeLessThanOrEqual(2 + 0.05 * median);
  const [low, high] = [stop!.pagesLeftQuantile(0.025), stop!.pagesLeftQuantile(0.975)];
  const held = left.filter((pages) => pages >= low && pages <= high).length / RUNS;
  expect(held).toBeGreaterThanOrEqual(0.88);
});

test('is unknown, and never a verdict, where it takes more work than it may', () => {
  const always: Sample[] = [[20, Array.from({ length: 400 }, (_, page) => page)]];
  const migration = { stop: { rule: 'downtime', limit: '10ms' }, timeout: 'none' };
  const { course } = predict(recordedCell(always, { migration }));
  expect(course.converges).toBeNull();
  expect(course.reason).toMatch(/^not worked out beyond \d+ s$/);
  expect(course.rounds).toBeGreaterThan(100);
});
