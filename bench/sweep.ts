import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { wholeDesign } from '../src/study/sweep/agenda.ts';
import { loadDesign } from '../src/study/sweep/design.ts';
import { sweep } from '../src/study/sweep/sweep.ts';

const slides = resolve(import.meta.dirname, '../../config/12-slides.yaml');
const K3 = [
  ['address', 'none'],
  ['increasing', 'none'],
  ['increasing', { count: 286 }],
];

/** How many runs of the slides' scenario at K = 3 a second, all processors, workers' start included; and what memory. */
export async function sweepSlides(wanted: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-sweep-'));
  try {
    const design = loadDesign(
      slides,
      [
        { path: 'compare', value: { 'migration.order, migration.defer': K3 } },
        { path: 'migration.stop.rounds', value: 3 },
        { path: 'runs', value: Math.ceil(wanted / K3.length) },
      ],
      'virtual',
    );
    const memory: string[] = [];
    const startedAt = performance.now();
    let runs = 0;
    await sweep(design, {
      folder,
      shard: wholeDesign,
      recorded: (_, more) => {
        runs += more;
        if (runs < ((memory.length + 1) * wanted) / 5) return;
        memory.push(`${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
      },
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    console.log(
      `sweep of the slides' scenario, K = 3: ${runs} runs in ${seconds.toFixed(1)} s, ${(runs / seconds).toFixed(0)} a second; ${(bytes / 1e6).toFixed(0)} MB of records`,
    );
    console.log(`  resident memory after each fifth: ${memory.join(', ')}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
