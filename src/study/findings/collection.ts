import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { inputLimits } from '../../core/input-limits.ts';
import { Failure, orFailure } from '../../platform/failure.ts';
import { parseJson } from '../../platform/json.ts';
import { linesOf } from '../../platform/lines.ts';
import { readText } from '../../platform/text-file.ts';
import { cellsOfRuns } from './cells.ts';
import { type RecordedTrace, recordedTrace } from './migration-timeline.ts';
import {
  environmentSchema,
  type RecordedEnvironment,
  type RecordedRun,
  recordedRunOf,
} from './recorded-run.ts';

export type Collection = ReturnType<typeof collect>;

/** The contents of a folder of results. @throws Failure there are no records, or a line is not one */
export function collect(folder: string) {
  const names = orFailure(`cannot read ${folder}`, () => readdirSync(folder).sort());
  const notes: string[] = [];
  const runs: RecordedRun[] = [];
  const known = new Set<string>();
  for (const { file, read } of recordFiles(folder, names, notes)) {
    const fresh = read.filter(({ identity }) => !known.has(identity) && known.add(identity));
    if (fresh.length < read.length) notes.push(copiesNote(file, read.length - fresh.length));
    for (const run of fresh) runs.push(run);
  }
  // Of a sweep in the order of its design, in whatever order its runs ended.
  runs.sort((one, other) => (one.cellIndex ?? 0) - (other.cellIndex ?? 0) || one.seed - other.seed);
  if (runs.length === 0) throw new Failure(`${folder}: no *.ndjson file with a record in it`);
  return {
    folder,
    scenarios: [...new Set(runs.map(({ scenario }) => scenario))],
    ...cellsOfRuns(runs),
    records: runs.length,
    /** What made the records, each once. */
    environments: environmentsOf(runs, folder, names),
    /** Says what was left out. */
    notes,
    /** JSON files beside the records, of unknown content; undefined: not there. */
    design: readJson(folder, 'design.json', names),
    machine: readJson(folder, 'machine.json', names),
    stress: readJson(folder, 'stress.json', names),
    /** Traces of single migrations. */
    traces: tracesOf(folder, names, notes),
    /** SVG files beside the records: Gantt charts that runs kept. */
    charts: names
      .filter((name) => name.endsWith('.svg'))
      .map((name) => ({ name, svg: readText(join(folder, name)) })),
  };
}

/** The files by what is in them: what is said of their records does not depend on their names. */
function recordFiles(folder: string, names: readonly string[], notes: string[]) {
  const files = names
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => {
      const file = join(folder, name);
      const read: RecordedRun[] = [];
      readRecords(file, read, notes);
      return { file, read, first: read[0]?.identity ?? '' };
    });
  return files.sort((one, other) => (one.first < other.first ? -1 : one.first > other.first ? 1 : 0));
}

/** A trace that cannot be read, or is too large, is not drawn, and the report says so. */
function tracesOf(folder: string, names: readonly string[], notes: string[]): readonly RecordedTrace[] {
  return names
    .filter((name) => name.endsWith('.perfetto.json'))
    .flatMap((name) => {
      try {
        const trace = recordedTrace(readJson(folder, name, names));
        if (trace) return [trace];
        notes.push(`${join(folder, name)}: not a trace of run --perfetto, and not drawn`);
      } catch (cause) {
        if (!(cause instanceof Failure)) throw cause;
        notes.push(`${cause.message}; it is not drawn`);
      }
      return [];
    });
}

function environmentsOf(
  runs: readonly RecordedRun[],
  folder: string,
  names: readonly string[],
): readonly RecordedEnvironment[] {
  const ofSweeps = names
    .filter((name) => /^environments-\d+-of-\d+\.json$/.test(name))
    .flatMap((name) => environmentsSchema.safeParse(readJson(folder, name, names)).data ?? []);
  const all = [...runs.flatMap(({ environment }) => environment ?? []), ...ofSweeps];
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

const environmentsSchema = z.array(environmentSchema);

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
