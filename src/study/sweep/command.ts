import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { PredictedMachine } from '../../core/machine-costs.ts';
import { shellWord } from '../../platform/shell-word.ts';
import { usedFiles } from '../../platform/used-files.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Setting } from '../../scenario/settings.ts';
import { type Design, settingsOf } from './design.ts';

/** How a sweep or stress was called. */
export interface Call {
  readonly file: string;
  readonly world: string;
  readonly set: readonly Setting[];
  readonly machine?: PredictedMachine | undefined;
  /** Flags of its own. */
  readonly more?: readonly string[];
}

/** The command that, with `--seed S`, carries out one run of a cell alone: in virtual time with the same record. */
export function runCommandOf(
  { file, world, set, machine, more = [] }: Call,
  { base, compare }: Pick<Scenario, 'base' | 'compare'>,
  settings: readonly Setting[],
): string {
  return [
    'switchover run',
    shellWord(file),
    ...(world === 'virtual' ? [] : [`--world ${world}`]),
    ...machineAsFlags(machine, world),
    ...(base.runs === undefined || base.runs === 1 ? [] : ['--runs 1']),
    ...settingsAsFlags(ofOneRun(set)),
    ...(compare === undefined || compare === null ? [] : ['--set compare=null']),
    ...settingsAsFlags(settings),
    ...more,
    ...usedAsFlags(),
  ].join(' ');
}

/** The same of a cell of a sweep. */
export function cellCommandOf(design: Design, cell: number): string {
  const { scenario } = design;
  return runCommandOf({ ...design, file: scenario.file }, scenario, settingsOf(design, cell));
}

/** The command that carries out a whole sweep or stress again, into another folder. */
export function wholeCommandOf(
  command: 'sweep' | 'stress',
  { file, world, set, machine, more = [] }: Call,
): string {
  return [
    `switchover ${command}`,
    shellWord(file),
    '--out DIR',
    ...(world === 'virtual' ? [] : [`--world ${world}`]),
    ...machineAsFlags(machine, world),
    ...settingsAsFlags(set),
    ...more,
    ...usedAsFlags(),
  ].join(' ');
}

function machineAsFlags(machine: PredictedMachine | undefined, world: string): string[] {
  if (!machine) return [];
  const usual = world === 'virtual' ? 'threads' : world;
  const costsOf = machine.world === usual ? [] : [`--costs-of ${machine.world}`];
  return [`--machine ${shellWord(machine.file)}`, ...costsOf];
}

/** What loads the user's own orders and rules again. */
function usedAsFlags(): string[] {
  return usedFiles().map(({ file }) => `--use ${shellWord(file)}`);
}

/** Without what a run gets by flags of its own, and what is only of the sweep. */
function ofOneRun(set: readonly Setting[]): readonly Setting[] {
  return set.filter(
    ({ path }) => !['runs', 'seed', 'compare', 'sweep', 'stress'].includes(path.split('.')[0]!),
  );
}

export function settingsAsFlags(settings: readonly Setting[], flag = '--set'): string[] {
  return settings.map(({ path, value }) => `${flag} ${shellWord(`${path}=${written(value)}`)}`);
}

/** A value as YAML on one line: as it stands where that is read as the same, otherwise as JSON. */
function written(value: unknown): string {
  if (typeof value !== 'object' && isDeepStrictEqual(parsed(String(value)), value)) return String(value);
  return JSON.stringify(value);
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
