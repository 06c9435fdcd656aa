#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { RegisteredCodeFailed, UnknownName } from '../core/registry.ts';
import { Failure, Refusal, reasonOf } from '../platform/failure.ts';
import { version } from '../platform/package.ts';
import { UsageError } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { folded } from '../study/tables/folded.ts';
import { commands } from './commands.ts';
import { ReaderGone, write, written } from './standard-streams.ts';

/** Of help, of which commander folds all but what is below the options, and of complaints. */
const output = {
  writeOut: (text: string) => write(folded(text, process.stdout.columns || 80)),
  writeErr: (text: string) => tell(foldedForTerminal(text)),
};

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a threshold was missed. Commands return one or throw; only here does the process end. */
const program = new Command('switchover')
  .description('A real-time scheduling testbed for live migration.')
  .version(version)
  .exitOverride()
  .configureOutput(output)
  .showHelpAfterError('(run switchover --help for usage)');

let exitCode = 0;
const asked = process.argv.slice(2).find((word) => Object.hasOwn(commands, word));
for (const [name, { describe, load, takesOwnRules }] of Object.entries(commands)) {
  const command = program.command(name).description(describe);
  if (name !== asked) continue;
  (await load())(command, (code) => {
    exitCode = code;
  });
  if (takesOwnRules) (await import('./use.ts')).withUse(command);
}

try {
  await program.parseAsync();
} catch (cause) {
  exitCode = exitCodeOf(cause);
}
try {
  await written();
} catch (cause) {
  exitCode ||= exitCodeOf(cause);
}
process.exit(exitCode);

function exitCodeOf(cause: unknown): number {
  if (cause instanceof ReaderGone) return 0;
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : 2;
  if (cause instanceof UsageError) {
    complain(cause.message);
    return 2;
  }
  if (cause instanceof Failure) {
    complain(`switchover: ${cause.message}`);
    return cause instanceof Refusal ? 2 : 1;
  }
  if (cause instanceof UnknownName) {
    complain(`switchover: ${cause.message}; load your own with --use FILE`);
    return 2;
  }
  if (cause instanceof RegisteredCodeFailed) {
    complain(`switchover: ${cause.message}`);
    return 1;
  }
  complain(`switchover: internal error: ${process.env.DEBUG ? (cause as Error).stack : reasonOf(cause)}`);
  return 1;
}

function complain(text: string): void {
  tell(`${foldedForTerminal(text)}\n`);
}

/** Elsewhere than on a terminal a complaint is one line, for whoever searches for it. */
function foldedForTerminal(text: string): string {
  return folded(text, process.stderr.isTTY ? process.stderr.columns || 80 : undefined);
}
