import { resolve } from 'node:path';
import { migrateVirtually } from '../src/run/ensemble.ts';
import { loadExperiment, type ScenarioCell, seeded } from '../src/scenario/scenario.ts';

const slides = resolve(import.meta.dirname, '../../config/12-slides.yaml');

/** Orders that learn, with the heats of 100 windows of 40 ms. */
const learned = [
  { path: 'migration.heat', value: 'estimated' },
  {
    path: 'compare',
    value: {
      'migration.stop.rounds, migration.order': ['lru', 'frequency', 'increasing', 'threshold'].map(
        (order) => [3, order],
      ),
    },
  },
];

/** How fast virtual time is, on one core: page-exact migrations of the slides' guest, and of one of 2,000,000 pages. */
export function virtual(): void {
  console.log(
    'virtual time, one core: page-exact migrations a second of the slides’ guest (median of 5 × 0.5 s), and in parts of K = 3, address',
  );
  const known = measured(loadExperiment(slides).cells);
  const reference = known.find(({ name }) => name.startsWith('3, address'))!.rate;
  const print = ({ name, rate }: Measured) =>
    console.log(`  K = ${name.padEnd(34)} ${rate.toFixed(0).padStart(6)}  ${(rate / reference).toFixed(2)}`);
  for (const each of known) print(each);
  console.log('  with heats that are learned:');
  for (const each of measured(loadExperiment(slides, learned).cells)) print(each);
  for (const touched of [20_000, 200_000]) {
    const { cells } = loadExperiment(slides, [
      { path: 'compare', value: null },
      { path: 'guest.pages', value: 2_000_000 },
      { path: 'guest.program.classes', value: [{ pages: touched, writesPerSecond: 0.1 }] },
      { path: 'link', value: { rate: '10Gbit/s' } },
      { path: 'migration.order', value: 'address' },
      { path: 'migration.stop.rounds', value: 3 },
    ]);
    const times = [1, 2, 3].map((seed) => {
      const startedAt = performance.now();
      migrateVirtually(seeded(cells[0]!, seed));
      return performance.now() - startedAt;
    });
    times.sort((a, b) => a - b);
    console.log(
      `  2,000,000 pages, ${touched} of them written: ${times[1]!.toFixed(0)} ms a migration, K = 3`,
    );
  }
}

interface Measured {
  readonly name: string;
  readonly rate: number;
}

function measured(cells: readonly ScenarioCell[]): readonly Measured[] {
  return cells.map((cell) => {
    const rates: number[] = [];
    for (let seed = 1, repetition = 0; repetition < 6; repetition++) {
      const startedAt = performance.now();
      let done = 0;
      for (; performance.now() - startedAt < 500; done++) migrateVirtually(seeded(cell, seed++));
      if (repetition > 0) rates.push((done * 1000) / (performance.now() - startedAt));
    }
    rates.sort((a, b) => a - b);
    const values = cell.settings.map(({ value }) =>
      typeof value === 'object' ? JSON.stringify(value) : value,
    );
    return { name: values.join(', '), rate: rates[2]! };
  });
}
