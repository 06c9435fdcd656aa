import { leftOutNotes, type Report } from './findings-report.ts';

/** The report as Markdown; its pictures are the files in `plots/`. */
export function markdownOf(report: Report): string {
  const { conclusions, figures, command, commands, machine, setUp } = report;
  const parts = [
    `# ${inline(report.title)}`,
    inline(report.question),
    `${report.records} migrations, ${inline(report.worlds.join(' and '))}.`,
    '## What can be concluded',
    list(conclusions.can),
    '## What cannot',
    list(conclusions.cannot),
    ...figures.flatMap(({ name, title, caption }) => [
      `## ${inline(title)}`,
      `![${inline(title)}](plots/${name}.svg)`,
      inline(caption),
    ]),
    '## All cells',
    table([report.headings, ...report.rows]),
    'Medians [95 % interval of the median]; \\* fewer than six runs: [minimum–maximum].',
    ...leftOutNotes(report),
    ...(setUp === '' ? [] : ['## Set-up', block(setUp)]),
    ...(machine.length === 0
      ? []
      : ['## Machine', list(machine.map(({ what, found }) => `${what}: ${found}`))]),
    ...(command === undefined ? [] : ['## How to repeat it', block(command)]),
    ...(commands.length === 0
      ? []
      : [
          '## How to repeat one cell',
          block(commands.map(({ cell, command }) => `${cell}: ${command}`).join('\n')),
        ]),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '–' : items.map((item) => `- ${inline(item)}`).join('\n');
}

function table([headings, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(inline).join(' | ')} |`;
  return [line(headings!), `|${headings!.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** Escaped, so that nothing in it is markup, and on one line. */
function inline(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]<>|&#!]/g, (character) => `\\${character}`)
    .trim();
}

/** Indented, so that nothing in the text can end it. */
function block(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
