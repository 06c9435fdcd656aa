//# loadExperiment, scenarioFile
import { loadExperiment, scenarioFile } from 'switchover/scenario';

const experiment = loadExperiment(scenarioFile('03-page-orders'), [{ path: 'runs', value: 2 }]);
console.log(experiment.name, experiment.cells.length, experiment.runs); // → 03-page-orders 12 2
console.log(experiment.cells[0].plan.order); // → address

//# scenarioOf, experimentOf
import { experimentOf, scenarioOf } from 'switchover/scenario';

const document = {
  guest: { pages: 1000, program: { kind: 'sequential', writesPerSecond: 100 } },
  link: { rate: '100Mbit/s' },
  compare: { 'migration.stop.rounds': [1, 2] },
};
const experiment = experimentOf(scenarioOf(document, { name: 'mine' }));
console.log(experiment.cells.map(({ plan }) => plan.stop.rounds).join(' ')); // → 1 2

//# UsageError
import { experimentOf, scenarioOf, UsageError } from 'switchover/scenario';

const guest = { pages: 1, program: { kind: 'sequential', writesPerSecond: 100 } };
try {
  experimentOf(scenarioOf({ guest, link: { rate: '100Mbit/s' } }, { name: 'mine' }));
} catch (cause) {
  console.log(cause instanceof UsageError); // → true
  console.log(cause.problems[0].path, cause.problems[0].found); // → guest.pages 1
}

//# seeded
import { loadExperiment, scenarioFile, seeded } from 'switchover/scenario';

const [cell] = loadExperiment(scenarioFile('01-first-migration')).cells;
const setup = seeded(cell, 7);
console.log(setup.plan.seed, setup.guest.seed); // → 7 7

//# parseSetting
import { parseSetting } from 'switchover/scenario';

console.log(JSON.stringify(parseSetting('migration.stop.rounds=3'))); // → {"path":"migration.stop.rounds","value":3}
