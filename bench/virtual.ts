import { resolve } from 'node:path';
import { migrateVirtually } from '../src/run/ensemble.ts';
import { loadExperiment, seeded } from '../src/scenario/scenario.ts';

const slides = resolve(import.meta.dirname, '../../config/12-slides.yaml');

/** How fast virtual time is, on one core: page-exact migrations of the slides' guest, and of one of 2,000,000 pages. */
export function virtual(): void {
  console.log(
    'virtual time, one core: page-exact migrations a second of the slides’ guest (median of 5 × 0.5 s)',
  );
  for (const cell of loadExperiment(slides).cells) {
    const rates: number[] = [];
    for (let seed = 1, repetition = 0; repetition < 6; repetition++) {
      const startedAt = performance.now();
      let done = 0;
      for (; performance.now() - startedAt < 500; done++) migrateVirtually(seeded(cell, seed++));
      if (repetition > 0) rates.push((done * 1000) / (performance.now() - startedAt));
    }
    rates.sort((a, b) => a - b);
    const name = cell.settings.map(({ value }) =>
      typeof value === 'object' ? JSON.stringify(value) : value,
    );
    console.log(`  K = ${name.join(', ').padEnd(34)} ${rates[2]!.toFixed(0)}`);
  }
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
