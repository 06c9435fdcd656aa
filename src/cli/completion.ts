import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import { packageFolder } from '../platform/package.ts';
import { definedCommands } from './defined-commands.ts';
import type { Exit } from './exit.ts';
import type { KnownCommands } from './known-command.ts';
import { print } from './standard-streams.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** What can be completed after the name of a command. */
interface Completed {
  readonly name: string;
  readonly describe: string;
  readonly options: readonly Completable[];
}

interface Completable {
  /** As it is written, with its dashes. */
  readonly flag: string;
  readonly describe: string;
  /** What its value can be; empty: any, or it has none. */
  readonly choices: readonly string[];
  readonly takesValue: boolean;
}

/** `switchover completion SHELL`: a script that a shell reads once, as in `source <(switchover completion bash)`. */
export function completing(commands: KnownCommands): (command: Command, exit: Exit) => void {
  return (command, exit) => define(command, commands, exit);
}

function define(command: Command, commands: KnownCommands, exit: Exit): void {
  command
    .addArgument(new Argument('<shell>', 'for which shell').choices(shells))
    .addHelpText(
      'after',
      [
        '',
        'bash:  source <(switchover completion bash)',
        'zsh:   source <(switchover completion zsh)      (after compinit)',
        'fish:  switchover completion fish | source',
      ].join('\n'),
    )
    .action(async (shell: (typeof shells)[number]) => {
      const all = await completed(commands);
      print({ bash: bashOf, zsh: zshOf, fish: fishOf }[shell](all, scenarios()));
      exit(0);
    });
}

/** Every command with its options, as its own definition has them. */
async function completed(commands: KnownCommands): Promise<readonly Completed[]> {
  return (await definedCommands(commands)).map((command) => {
    const options = command.options.map((option) => ({
      flag: option.long ?? option.short!,
      describe: option.description,
      choices: option.argChoices ?? [],
      takesValue: option.required || option.optional,
    }));
    return { name: command.name(), describe: command.description(), options };
  });
}

/** The scenarios that come with the program, which have names. */
function scenarios(): readonly string[] {
  return readdirSync(join(packageFolder, 'config'))
    .filter((file) => /^\d.*\.yaml$/.test(file))
    .map((file) => file.replace('.yaml', ''));
}

/** Commands whose argument is a scenario. */
const readScenarios: readonly string[] = ['run', 'sweep', 'predict', 'stress'];

function bashOf(all: readonly Completed[], names: readonly string[]): string {
  const cases = all.map(({ name, options }) => {
    const values = options
      .filter(({ choices }) => choices.length > 0)
      .map(
        ({ flag, choices }) =>
          `      ${flag}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); return ;;`,
      );
    const words = [
      ...options.map(({ flag }) => flag),
      '--help',
      ...(readScenarios.includes(name) ? names : []),
    ];
    return [
      `  ${name})`,
      '    case $before in',
      ...values,
      '    esac',
      `    COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$word")) ;;`,
    ].join('\n');
  });
  return `_switchover() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W '${all.map(({ name }) => name).join(' ')} help --help --version' -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
}
complete -o default -o bashdefault -F _switchover switchover`;
}

function zshOf(all: readonly Completed[], names: readonly string[]): string {
  const described = (flag: string, describe: string) =>
    `'${flag}:${quoted(describe).replaceAll(':', '\\:')}'`;
  const cases = all.map(({ name, options }) => {
    const specs = options.map(({ flag, describe, choices, takesValue }) => {
      const what = quoted(describe).replace(/[[\]]/g, '\\$&');
      const value = choices.length > 0 ? `:value:(${choices.join(' ')})` : takesValue ? ':value:_files' : '';
      return `'*${flag}[${what}]${value}'`;
    });
    const argument = readScenarios.includes(name)
      ? `'1:scenario:{ compadd -- ${names.join(' ')}; _files }'`
      : "'*:file:_files'";
    return `    ${name}) _arguments ${[...specs, argument].join(' \\\n      ')} ;;`;
  });
  return `#compdef switchover
_switchover() {
  local -a commands
  commands=(
    ${all.map(({ name, describe }) => described(name, describe)).join('\n    ')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _switchover switchover`;
}

function fishOf(all: readonly Completed[], names: readonly string[]): string {
  const none = '__fish_use_subcommand';
  return all
    .flatMap(({ name, describe, options }) => [
      `complete -c switchover -n ${none} -f -a ${name} -d '${quoted(describe)}'`,
      ...options.map(({ flag, describe: what, choices, takesValue }) => {
        const values = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : takesValue ? ' -r' : '';
        const spelt = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
        return `complete -c switchover -n '__fish_seen_subcommand_from ${name}' ${spelt}${values} -d '${quoted(what)}'`;
      }),
      ...(readScenarios.includes(name)
        ? [`complete -c switchover -n '__fish_seen_subcommand_from ${name}' -a '${names.join(' ')}'`]
        : []),
    ])
    .join('\n');
}

/** Fit to stand between single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replaceAll('\n', ' ');
}
