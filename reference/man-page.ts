import type { Command, Option } from 'commander';
import { commands } from '../src/cli/commands.ts';
import { definedCommands } from '../src/cli/defined-commands.ts';
import { version } from '../src/platform/package.ts';
import { folded } from '../src/study/tables/folded.ts';

export const MAN_PAGE = 'docs/switchover.1';

/** The man page, from what each command says of itself. */
export async function manPage(): Promise<string> {
  const all = await definedCommands(commands);
  return `${[
    '.\\" Written by npm run build:reference from the definitions of the commands; a test compares the two.',
    `.TH SWITCHOVER 1 "" "switchover ${version}" "User Commands"`,
    '.SH NAME',
    'switchover \\- real\\-time scheduling testbed for live migration',
    '.SH SYNOPSIS',
    '.B switchover',
    '.I command',
    '.RI [ argument ...]',
    '.RI [ option ...]',
    '.SH DESCRIPTION',
    roff(DESCRIPTION),
    '.SH COMMANDS',
    ...all.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, roff(meaning)]),
    '.SH EXAMPLES',
    ...EXAMPLES.flatMap(([meaning, command], index) => [
      ...(index === 0 ? [] : ['.PP']),
      roff(meaning),
      '.PP',
      '.RS 4',
      '.EX',
      roff(command),
      '.EE',
      '.RE',
    ]),
    '.SH SEE ALSO',
    roff(
      'The tutorial, the reference and everything else lie in the folder docs of the package, its scenarios in config.',
    ),
  ].join('\n')}\n`;
}

const DESCRIPTION =
  'Moves running guests from one host to another under reservations of processors and links, and says what became of their downtime: computed in virtual time, on real threads, or in QEMU. What a scenario (YAML) may say is told by switchover reference, and switchover init writes one to begin with.';

const EXIT_CODES = [
  ['0', 'Done.'],
  ['1', 'Failed: a migration, a file, or a check.'],
  ['2', 'Wrong usage: an option, a scenario, or a file that it names.'],
  ['3', 'Done, but a threshold was missed, or a precision was not reached.'],
  ['130', 'Cancelled by Ctrl-C; what was measured until then is told and saved.'],
  ['143', 'The same by SIGTERM.'],
] as const;

const EXAMPLES = [
  ['A first migration, computed in virtual time:', 'switchover run 01-first-migration'],
  [
    'Is the downtime below 200 ms in 95 of 100 runs?',
    "switchover run mine.yaml --runs 100 --require 'p95(downtime)<200ms'",
  ],
  [
    'Repeat until the median is known to 5 %:',
    "switchover run mine.yaml --world threads --until 'downtime+-5%'",
  ],
] as const;

function commandLines(command: Command): readonly string[] {
  const given = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  const documented = command.registeredArguments.filter(({ description }) => description !== '');
  return [
    `.SS ${literal(['switchover', command.name(), ...given, '[options]'].join(' '))}`,
    roff(`${sentence(command.description())}`),
    ...documented.flatMap((argument) => [
      '.TP',
      `.I ${literal(argument.name())}`,
      roff(sentence(withChoices(argument.description, argument.argChoices))),
    ]),
    ...command.options.flatMap(optionLines),
    ...remarks(command).flatMap((paragraph) => ['.PP', ...paragraph]),
  ];
}

function optionLines(option: Option): readonly string[] {
  const { defaultValue } = option;
  const standard = defaultValue === undefined ? '' : ` (default: ${defaultValue})`;
  return [
    '.TP',
    `.B ${literal(option.flags)}`,
    roff(sentence(`${withChoices(option.description, option.argChoices)}${standard}`)),
  ];
}

function withChoices(description: string, choices: readonly string[] | undefined): string {
  return choices ? `${description}: ${choices.join(', ')}` : description;
}

/** What a command says below its options. Lines that are indented stand as they are. */
function remarks(command: Command): readonly (readonly string[])[] {
  let text = '';
  command.configureOutput({ writeOut: (more) => (text += more) }).outputHelp();
  const paragraphs = text
    .slice(command.helpInformation().length)
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '');
  return paragraphs.map((paragraph) => {
    const lines = paragraph.trim().split('\n');
    const isTable = /^ {2,}|\S {2,}\S/m.test(paragraph);
    return isTable ? ['.nf', ...lines.map(roff), '.fi'] : [roff(lines.join(' '))];
  });
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(first) ? first : `${first}.`;
}

const SOURCE_COLUMNS = 80;

/** Text as roff takes it literally, in ASCII. A line that began with a point or a quote would be a request. */
function roff(text: string): string {
  return folded(literal(text), SOURCE_COLUMNS).replace(/^([.'])/gm, '\\&$1');
}

function literal(text: string): string {
  return text
    .replaceAll('…', '...')
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^\0-\x7e]/gu, (character) => {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      return `\\[u${code}]`;
    });
}
