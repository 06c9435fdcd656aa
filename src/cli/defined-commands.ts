import { Command } from 'commander';
import type { KnownCommands } from './known-command.ts';

/** Every command with its arguments and options, as its own definition has them; none of them can be carried out. */
export function definedCommands(commands: KnownCommands): Promise<readonly Command[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, { describe, load, takesOwnRules }]) => {
      const command = new Command(name).description(describe);
      (await load())(command, () => {});
      if (takesOwnRules) (await import('./use.ts')).withUse(command);
      return command;
    }),
  );
}
