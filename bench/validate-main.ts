import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { PredictedMachine } from '../src/core/machine-costs.ts';
import { Failure, Refusal } from '../src/platform/failure.ts';
import { writeText } from '../src/platform/text-file.ts';
import { predictedMachine } from '../src/scenario/machine-profile.ts';
import { loadExperiment } from '../src/scenario/scenario.ts';
import { machineProfileFile } from '../src/scenario/scenario-file.ts';
import { validated } from './validated-scenario.ts';
import { type Validated, validationPage } from './validation-page.ts';

/**
 * Runs the scenarios of config/validation in their worlds and in virtual time, and writes docs/validation.md. What was
 * measured is kept in build/validation; an interrupted call goes on. Arguments: a profile, then names of scenarios, if
 * not all are to be run.
 */
const root = resolve(import.meta.dirname, '../..');
const scenarios: Readonly<Record<string, PredictedMachine['world']>> = {
  free: 'threads',
  fair: 'threads',
  reserved: 'threads',
  'three-guests': 'threads',
  vm: 'vm',
};

const [profile = 'typical', ...names] = process.argv.slice(2);
const machineFile = machineProfileFile(profile);
const all: Validated[] = [];
const skipped: string[] = [];
for (const name of names.length > 0 ? names : Object.keys(scenarios)) {
  const world = scenarios[name];
  if (!world) throw new Failure(`no scenario ${name}: ${Object.keys(scenarios).join(', ')}`);
  const file = join(root, 'config/validation', `${name}.yaml`);
  try {
    const machine = predictedMachine(machineFile, world);
    const cells = await validated(file, machine, join(root, 'build/validation'), (what) =>
      console.error(what),
    );
    all.push({ name, describe: loadExperiment(file).describe, world, cells });
  } catch (cause) {
    if (!(cause instanceof Failure || cause instanceof Refusal)) throw cause;
    skipped.push(`${name}: ${cause.message}`);
  }
}
writeText(
  join(root, 'docs/validation.md'),
  validationPage(all, parse(readFileSync(machineFile, 'utf8')), skipped),
);
process.exit(0);
