import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { orFailure, printable } from '../platform/failure.ts';
import { makeFolders } from '../platform/paths.ts';
import { examine } from '../run/doctor.ts';

/** `switchover report DIR`: what the records of a folder say, as a page, as Markdown and as CSV. */
export function reportCommand(exit: (code: number) => void): Command {
  return new Command('report')
    .description(
      'write tables, plots and conclusions about the records in a folder, as HTML, Markdown and CSV',
    )
    .argument('<folder>', 'folder with *.ndjson files from run --json FILE, sweep or stress')
    .action(async (folder: string) => exit(await action(folder)));
}

async function action(folder: string): Promise<number> {
  // The library that draws takes half a second to load, which no other command should wait for.
  const [{ collect }, { reportOf }, { htmlOf }, { markdownOf }, { csvOf }, { standalone }] =
    await Promise.all([
      import('../study/findings/collection.ts'),
      import('../study/findings/findings-report.ts'),
      import('../study/findings/html.ts'),
      import('../study/findings/markdown.ts'),
      import('../study/findings/csv.ts'),
      import('../study/findings/plots/draw.ts'),
    ]);
  const collection = collect(folder);
  const isMeasured = collection.cells.some(({ world }) => world !== 'virtual');
  const here = isMeasured && collection.machine === undefined ? await examine() : [];
  const report = reportOf(collection, here);
  orFailure(`cannot write ${folder}`, () => {
    makeFolders(join(folder, 'plots'));
    for (const drawn of report.figures) {
      writeFileSync(join(folder, 'plots', `${drawn.name}.svg`), standalone(drawn));
    }
    writeFileSync(join(folder, 'report.html'), htmlOf(report));
    writeFileSync(join(folder, 'report.md'), markdownOf(report));
    const csv = openSync(join(folder, 'report.csv'), 'w');
    for (const line of csvOf(collection)) writeSync(csv, line);
    closeSync(csv);
  });
  for (const sentence of report.conclusions.can) console.log(printable(sentence));
  for (const sentence of report.conclusions.cannot) console.log(`But: ${printable(sentence)}`);
  console.log(`${join(folder, 'report.html')}, report.md, report.csv, ${report.figures.length} plots`);
  return 0;
}
