import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, orFailure } from '../../platform/failure.ts';
import { readText } from '../../platform/text-file.ts';
import { linesOf } from '../lines.ts';
import { cellsOfRuns } from './cells.ts';
import { type RecordedRun, recordedRunOf } from './recorded-run.ts';

export type Collection = ReturnType<typeof collect>;

/** The contents of a folder of results. @throws Failure there are no records, or a line is not one */
export function collect(folder: string) {
  const names = orFailure(`cannot read ${folder}`, () => readdirSync(folder).sort());
  const notes: string[] = [];
  const runs: RecordedRun[] = [];
  for (const name of names.filter((each) => each.endsWith('.ndjson'))) {
    readRecords(join(folder, name), runs, notes);
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

/** The last line may be incomplete: its writer was killed, or is still writing. */
function readRecords(file: string, into: RecordedRun[], notes: string[]): void {
  let wrong: string | undefined;
  let number = 0;
  for (const { text } of linesOf(file)) {
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
  return orFailure(`${file}: not JSON`, () => JSON.parse(readText(file)));
}
