import type { Command } from 'commander';
import type { Exit } from './exit.ts';

/** Gives a command its arguments, its options and what it does. */
type Defines = (command: Command, exit: Exit) => void;

/** What is known of a command before it is loaded. */
export interface KnownCommand {
  readonly describe: string;
  /** Only the command that is asked for is loaded: all of them take several times as long as most take to run. */
  readonly load: () => Promise<Defines>;
  /** It reads a scenario or a trace, or names an order, and so takes a user's own rules, too. */
  readonly takesOwnRules?: true;
}

export type KnownCommands = Readonly<Record<string, KnownCommand>>;
