import { Option } from 'commander';

/** What of a command's output can be chosen, and means the same in every command that has it. */
export interface OutputOptions {
  readonly json?: string;
  readonly quiet?: boolean;
  readonly wide?: boolean;
}

/** @param what is written: of a command with one answer, that */
export function jsonOption(what = 'the answer as one JSON object'): Option {
  return new Option('--json <file>', `write ${what} to a file, or with - to standard output instead of text`);
}

/** Of a command that carries out migrations. */
export const RECORDS = 'one JSON record a line';

export function quietOption(): Option {
  return new Option('--quiet', 'no progress on standard error');
}

export function wideOption(): Option {
  return new Option('--wide', 'all columns of tables and whole lines, however wide the terminal is');
}

/** Where a terminal does not say how wide it is. */
const USUAL_WIDTH = 80;

/** Columns of the terminal that standard output is. `undefined`: it is none, or everything is to be shown. */
export function widthOf({ wide = false }: OutputOptions = {}): number | undefined {
  return process.stdout.isTTY && !wide ? process.stdout.columns || USUAL_WIDTH : undefined;
}
