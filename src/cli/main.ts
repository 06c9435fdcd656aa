#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { RegisteredCodeFailed, UnknownName } from '../core/registry.ts';
import { Failure, Refusal, reasonOf } from '../platform/failure.ts';
import { version } from '../platform/package.ts';
import { UsageError } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { doctorCommand } from './doctor.ts';
import { orderCommand } from './order.ts';
import { predictCommand } from './predict.ts';
import { receiveCommand } from './receive.ts';
import { recordCommand } from './record.ts';
import { recoverCommand } from './recover.ts';
import { replayCommand } from './replay.ts';
import { reportCommand } from './report.ts';
import { runCommand } from './run.ts';
import { scheduleCommand } from './schedule.ts';
import { serveCommand } from './serve.ts';
import { ReaderGone, write, written } from './standard-streams.ts';
import { stressCommand } from './stress.ts';
import { sweepCommand } from './sweep.ts';
import { withUse } from './use.ts';

/** Of help and of complaints. */
const output = { writeOut: write, writeErr: (text: string) => tell(text) };

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a threshold was missed. Commands return one or throw; only here does the process end. */
const program = new Command('switchover')
  .description('A real-time scheduling testbed for live migration.')
  .version(version)
  .exitOverride()
  .configureOutput(output)
  .showHelpAfterError('(run switchover --help for usage)');

/** Those that read a scenario or a trace, or name an order. */
const takeOwnRules = new Set([
  ...[runCommand, sweepCommand, predictCommand, orderCommand],
  ...[stressCommand, replayCommand, serveCommand],
]);

let exitCode = 0;
for (const command of [
  runCommand,
  sweepCommand,
  predictCommand,
  orderCommand,
  scheduleCommand,
  stressCommand,
  reportCommand,
  receiveCommand,
  recordCommand,
  recoverCommand,
  replayCommand,
  serveCommand,
  doctorCommand,
]) {
  const made = command((code) => {
    exitCode = code;
  })
    .exitOverride()
    .configureOutput(output);
  program.addCommand(takeOwnRules.has(command) ? withUse(made) : made);
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
  tell(`${text}\n`);
}
