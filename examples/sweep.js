// A sweep from code, on all processors: node sweep.js [folder]
// The folder has a record a line and can be read by switchover report. The same call again does what is missing.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatDuration, use } from 'switchover';
import { loadDesign, sweep, sweepTable, wholeDesign } from 'switchover/run';
import { scenarioFile } from 'switchover/scenario';

// The threads of a sweep must know the order as well: use() loads its module here and in each of them.
await use([new URL('./hottest-twentieth.js', import.meta.url)]);

const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'sweep-'));
const design = loadDesign(
  scenarioFile('18-a-sweep'),
  [
    {
      path: 'sweep',
      value: {
        grid: {
          'migration.order': ['increasing', 'hottest-twentieth'],
          'link.stopRate': { from: '50Mbit/s', to: '1Gbit/s', steps: 3, scale: 'log' },
        },
      },
    },
    { path: 'runs', value: 8 },
  ],
  'virtual',
);
const result = await sweep(design, { folder, shard: wholeDesign });
console.log(sweepTable(design, result));

const shortest = Math.min(...[...result.cells.values()].flatMap(({ downtimesNs }) => downtimesNs));
console.log(`\nThe shortest downtime of all: ${formatDuration(shortest)}. The records: ${folder}`);
