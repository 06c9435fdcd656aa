import { join } from 'node:path';
import type { Command } from 'commander';
import { printable } from '../platform/failure.ts';
import { makeFolders } from '../platform/paths.ts';
import { writeWhole } from '../platform/pending-file.ts';
import { examine } from '../run/doctor.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { print } from './standard-streams.ts';

/** `switchover report DIR`: what the records of a folder say, as a page, as Markdown and as CSV. */
export function reportCommand(command: Command, exit: Exit): void {
  command
    .argument('<folder>', 'folder with *.ndjson files from run --json FILE, sweep or stress')
    .addOption(jsonOption())
    .addOption(wideOption())
    .action(async (folder: string, options: OutputOptions) => exit(await action(folder, options)));
}

async function action(folder: string, options: OutputOptions): Promise<number> {
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
  const isNamed = collection.machine !== undefined || collection.environments.length > 0;
  const here = isMeasured && !isNamed ? await examine() : [];
  const report = reportOf(collection, here);
  const parts: readonly (readonly [name: string, text: () => Iterable<string>])[] = [
    ...report.figures.map((drawn) => [`plots/${drawn.name}.svg`, () => [standalone(drawn)]] as const),
    ['report.html', () => [htmlOf(report)]],
    ['report.md', () => [markdownOf(report)]],
    ['report.csv', () => csvOf(collection)],
  ];
  makeFolders(join(folder, 'plots'));
  writeWhole(
    parts.map(([name, text]) => [
      join(folder, name),
      (pending) => {
        for (const piece of text()) pending.write(piece);
      },
    ]),
  );
  const files = parts.map(([name]) => name);
  const { title, worlds, records, headings, rows, conclusions, commands } = report;
  const answer = () => ({ title, worlds, records, headings, rows, conclusions, commands, files });
  if (writeJson(options.json, answer)) {
    const lines = [
      ...conclusions.can.map(printable),
      ...conclusions.cannot.map((sentence) => `But: ${printable(sentence)}`),
      `${join(folder, 'report.html')}, report.md, report.csv, ${report.figures.length} plots`,
    ];
    print(folded(lines.join('\n'), widthOf(options)));
  }
  return 0;
}
