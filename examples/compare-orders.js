// A new page order compared with ours: node compare-orders.js
import { orderByProbability } from 'switchover';
import { experimentTable, predict, run } from 'switchover/run';
import { loadExperiment, scenarioFile } from 'switchover/scenario';
import { hottestTwentieth } from './hottest-twentieth.js';

// One round with known write probabilities: E[n2], the pages that it is expected to leave dirty.
const probabilities = Float64Array.from({ length: 200 }, (_, page) => (page < 20 ? 0.3 : 0.0005));
for (const order of ['address', 'increasing', hottestTwentieth, 'threshold']) {
  const { expectedDirtyPages, excessAtMost } = orderByProbability(order, probabilities, 1);
  console.log(
    `${order}: ${expectedDirtyPages.toFixed(2)} pages, at most ${excessAtMost.toFixed(2)} more than the best`,
  );
}

// Whole migrations in virtual time. Every order meets the same seeds, so that the table can compare them pair by pair.
const experiment = loadExperiment(scenarioFile('03-page-orders'), [
  { path: 'compare', value: { 'migration.order': ['increasing', hottestTwentieth, 'threshold'] } },
  { path: 'runs', value: 8 },
]);
const results = await run(experiment, { world: 'virtual' });
console.log(experimentTable(results, 'virtual'));

// The model asks the order, too.
for (const cell of experiment.cells) {
  const { course, assumes } = predict(cell);
  console.log(
    `${cell.plan.order}: ${(course.downtimeNs / 1e6).toFixed(0)} ms by the model. ${assumes.join('; ')}`,
  );
}
