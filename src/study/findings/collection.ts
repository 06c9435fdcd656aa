import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inputLimits } from '../../core/input-limits.ts';
import { Failure, orFailure } from '../../platform/failure.ts';
import { parseJson } from '../../platform/json.ts';
import { linesOf } from '../../platform/lines.ts';
import { readText } from '../../platform/text-file.ts';
import { cellsOfRuns } from './cells.ts';
import { type RecordedRun, recordedRunOf } from './recorded-run.ts';

export type Collection = ReturnType<typeof collect>;

/** The contents of a folder of results. @throws Failure there are no records, or a line is not one */
export function collect(folder: string) {
  const names = orFailure(`cannot read ${folder}`, () => readdirSync(folder).sort());
  const notes: string[] = [];
  const runs: RecordedRun[] = [];
  const known = new Set<string>();
  for (const name of names.filter((each) => each.endsWith('.ndjson'))) {
    const read: RecordedRun[] = [];
    readRecords(join(folder, name), read, notes);
    const fresh = read.filter(({ identity }) => !known.has(identity) && known.add(identity));
    if (fresh.length < read.length) notes.push(copiesNote(join(folder, name), read.length - fresh.length));
    runs.push(...fresh);
  }
  if (runs.length === 0) throw new Failure(`${folder}: no *.ndjson file with a record in it`);
  return {
    folder,
    scenarios: [...new Set(runs.map(({ scenario }) => scenario))],
    ...cellsOfRuns(runs),
    records: runs.length,
    /** Says what was left out. */
    notes,
    /** JSON files beside the records, of unknown content; undefined: not there. */
    design: readJson(folder, 'design.json', names),
    machine: readJson(folder, 'machine.json', names),
    stress: readJson(folder, 'stress.json', names),
    /** SVG files beside the records: Gantt charts that runs kept. */
    charts: names
      .filter((name) => name.endsWith('.svg'))
      .map((name) => ({ name, svg: readText(join(folder, name)) })),
  };
}

function copiesNote(file: string, copies: number): string {
  const these = copies === 1 ? 'one record is of a run that is' : `${copies} records are of runs that are`;
  return `${file}: ${these} there already (same world, scenario, settings, seed, start and result), and not counted again`;
}

/** The last line may be incomplete: its writer was killed, or is still writing. */
function readRecords(file: string, into: RecordedRun[], notes: string[]): void {
  let wrong: string | undefined;
  let number = 0;
  for (const { text } of linesOf(file, inputLimits.recordLineBytes)) {
    number += 1;
    if (wrong !== undefined) throw new Failure(wrong);
    if (text.trim() === '') continue;
    const run = recordedRunOf(text);
    if ('wrong' in run) wrong = `${file}:${number}: ${run.wrong}`;
    else into.push(run);
  }
  if (wrong === undefined) return;
  if (wrong.includes(': not JSON')) notes.push(`${file}: the last line is incomplete and was ignored`);
  else throw new Failure(wrong);
}

function readJson(folder: string, name: string, names: readonly string[]): unknown {
  if (!names.includes(name)) return undefined;
  const file = join(folder, name);
  return parseJson(readText(file), file);
}
