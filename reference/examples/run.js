//# run, experimentTable
import { experimentTable, run } from 'switchover/run';
import { loadExperiment, scenarioFile } from 'switchover/scenario';

const experiment = loadExperiment(scenarioFile('01-first-migration'), [
  { path: 'compare', value: { 'migration.order': ['address', 'threshold'] } },
  { path: 'runs', value: 3 },
]);
const results = await run(experiment, { world: 'virtual' });
for (const { records } of results) console.log(records.length, records[0].outcome, records[0].plan.order);
// → 3 completed address
// → 3 completed threshold
console.log(experimentTable(results, 'virtual').includes('threshold')); // → true

//# predict
import { predict } from 'switchover/run';
import { loadExperiment, scenarioFile } from 'switchover/scenario';

const [cell] = loadExperiment(scenarioFile('03-page-orders')).cells;
const { course, stop, assumes } = predict(cell);
console.log(course.converges, Math.round(course.downtimeNs / 1e6)); // → true 565
console.log(stop.requiredStopRateBytesPerSecond(300e6, 0.99) > 6_250_000, assumes.length); // → true 0

//# predictions
import { predictions } from 'switchover/run';
import { loadExperiment, scenarioFile } from 'switchover/scenario';

const { cells } = loadExperiment(scenarioFile('01-first-migration'));
console.log(predictions(cells).every(({ course }) => course.converges)); // → true

//# worldFactory, worldNames
import { worldFactory, worldNames } from 'switchover/run';
import { loadExperiment, scenarioFile, seeded } from 'switchover/scenario';

console.log(worldNames.join(', ')); // → virtual, threads, vm, qemu-native
const [cell] = loadExperiment(scenarioFile('01-first-migration')).cells;
const worlds = await worldFactory('virtual');
const world = await worlds.create(seeded(cell, 1));
const answer = await world.perform({ kind: 'observe', windowNs: 40e6, windows: 1 });
console.log(answer.kind, answer.now); // → dirty 40000000
await world.close();
await worlds.close();

//# loadDesign, sweep, wholeDesign, sweepTable
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDesign, sweep, sweepTable, wholeDesign } from 'switchover/run';
import { scenarioFile } from 'switchover/scenario';

const grid = { 'migration.stop.rounds': { from: 1, to: 3, steps: 3 } };
const settings = [
  { path: 'sweep', value: { grid } },
  { path: 'runs', value: 2 },
];
const design = loadDesign(scenarioFile('18-a-sweep'), settings, 'virtual');
const folder = mkdtempSync(join(tmpdir(), 'sweep-'));
const result = await sweep(design, { folder, shard: wholeDesign });
console.log(design.cells, result.now); // → 3 6
console.log(sweepTable(design, result).split('\n')[0]); // → 18-a-sweep: 3 cells, 6 runs

//# Failure, Refusal
import { Failure, Refusal } from 'switchover/run';
import { loadExperiment } from 'switchover/scenario';

try {
  loadExperiment('no-such-file.yaml');
} catch (cause) {
  console.log(cause instanceof Failure, cause instanceof Refusal); // → true false
}
