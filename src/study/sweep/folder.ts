import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../../core/migration/record.ts';
import { reasonOf } from '../../platform/failure.ts';
import { parseJson } from '../../platform/json.ts';
import { version } from '../../platform/package.ts';
import { makeFolders } from '../../platform/paths.ts';
import { type Problem, shown, UsageError } from '../../platform/problem.ts';
import { readText, writeText } from '../../platform/text-file.ts';
import { usedFiles } from '../../platform/used-files.ts';
import type { Shard } from './agenda.ts';
import { wholeCommandOf } from './command.ts';
import { cellOf, type Design, runsMax } from './design.ts';

const DESIGN_FILE = 'design.json';

export type DesignDocument = ReturnType<typeof documentOf>;

/** `design.json` of a folder: everything about a sweep except its records. */
function documentOf(design: Design) {
  const { scenario, set, world, seed, cells, runs, machine } = design;
  const { settings: _, fleet: __, ...resolved } = cellOf(design, 0);
  const code = usedFiles().map(({ path }) => readText(path));
  const digest = createHash('sha256')
    .update(JSON.stringify(resolved) + code.join(''))
    .digest('hex');
  const document = {
    schema: 'switchover.sweep/1',
    /** Of the program: another version might produce other records. */
    version,
    name: scenario.name,
    world,
    design: { compare: scenario.compare ?? null, sweep: scenario.sweep ?? null, set },
    seed,
    cells,
    /** The fewest and the most repetitions of a cell. */
    runs: { least: runs, most: runsMax(design) },
    /** The scenario file as it was. The digest is a SHA-256 of its resolved first cell, with the machine's costs, and of the user's own modules. */
    text: scenario.text,
    digest,
    /** The file name that the first call was given, and the command that repeats the sweep. */
    file: scenario.file,
    command: wholeCommandOf('sweep', { file: scenario.file, world, set, machine }),
  };
  // As it will be read back: without what JSON cannot hold.
  return JSON.parse(JSON.stringify(document)) as typeof document;
}

/** Makes the folder of --out unless it is there. @throws UsageError it cannot be made or written */
export function insistOnFolder(folder: string): void {
  try {
    makeFolders(folder);
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    refuse('--out', WRITABLE, `${folder} (${reasonOf(cause)})`);
  }
}

const WRITABLE = 'a folder that can be written';

/**
 * Claims the folder for this sweep, or finds that it already belongs to it: same design, same version of the program.
 * @returns the design as the first call wrote it
 * @throws UsageError the folder belongs to another sweep
 */
export function claimFolder(folder: string, design: Design): DesignDocument {
  const mine = documentOf(design);
  const file = join(folder, DESIGN_FILE);
  // Listed before the design is looked for: of shards that begin at once, another may write both in between.
  const [stray] = resultFiles(folder);
  const found = readDocument(file);
  if (!found) {
    if (stray) refuse('--out', `${DESIGN_FILE} beside records`, `${stray} without it`);
    writeText(file, `${JSON.stringify(mine, null, 2)}\n`);
    return mine;
  }
  const differing = (Object.keys(mine) as (keyof DesignDocument)[]).filter(
    (key) => key !== 'file' && key !== 'command' && !isDeepStrictEqual(mine[key], found[key]),
  );
  const problems = differing.map((key): Problem => {
    const told =
      key === 'text' ? ['the scenario file as it was', 'another'] : [shown(mine[key]), shown(found[key])];
    return { path: `${file}: ${key}`, expected: told[0]!, found: told[1]! };
  });
  if (problems.length > 0) throw new UsageError(problems);
  return found;
}

/**
 * Notes in what the records of a shard are made, once for all of them, so that a record in virtual time is the same wherever it
 * is made. Where another version or machine goes on, the list has one more.
 * @throws UsageError what is there is no such list
 */
export function noteEnvironment(folder: string, { index, of }: Shard, environment: Environment): void {
  const file = join(folder, `environments-${index}-of-${of}.json`);
  const before = existsSync(file) ? parseJson(readText(file), file) : [];
  if (!Array.isArray(before)) refuse(file, 'a list of environments', shown(before));
  if (isDeepStrictEqual(before.at(-1), environment)) return;
  writeText(file, `${JSON.stringify([...before, environment], null, 2)}\n`);
}

/** The files with records, of all shards. */
export function resultFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => join(folder, name));
}

/** `undefined`: there is none. */
function readDocument(file: string): DesignDocument | undefined {
  let text: string;
  try {
    if (!existsSync(file)) return undefined;
    text = readText(file);
  } catch (cause) {
    refuse(file, 'a design that can be read', reasonOf(cause));
  }
  try {
    const document = parseJson(text, file);
    if (typeof document === 'object' && document !== null) return document as DesignDocument;
  } catch {}
  return refuse(file, 'a design', shown(text));
}

function refuse(path: string, expected: string, found: string): never {
  throw new UsageError([{ path, expected, found }]);
}
