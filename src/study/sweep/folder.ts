import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { version } from '../../platform/package.ts';
import { type Problem, shown, UsageError } from '../../platform/problem.ts';
import { readText } from '../../platform/text-file.ts';
import { usedFiles } from '../../platform/used-files.ts';
import { wholeCommandOf } from './command.ts';
import { cellOf, type Design, runsMax } from './design.ts';

/** `design.json` of a folder: all there is to know of a sweep besides its records. */
export interface DesignDocument {
  readonly schema: 'switchover.sweep/1';
  /** Of the program: another one might come to other records. */
  readonly version: string;
  readonly name: string;
  readonly world: string;
  readonly design: { readonly compare: unknown; readonly sweep: unknown; readonly set: unknown };
  readonly seed: number;
  readonly cells: number;
  /** Repetitions of a cell: so many, or from the fewest to the most. */
  readonly runs: { readonly least: number; readonly most: number };
  /** The scenario file as it was; and of its first cell everything resolved, recordings included, and the user's own modules, as SHA-256. */
  readonly text: string;
  readonly digest: string;
  /** How whoever began the sweep named the file, and what repeats it. */
  readonly file: string;
  readonly command: string;
}

const DESIGN_FILE = 'design.json';

function documentOf(design: Design): DesignDocument {
  const { scenario, set, world, seed, cells, runs } = design;
  const { settings: _, fleet: __, ...resolved } = cellOf(design, 0);
  const code = usedFiles().map(({ path }) => readText(path));
  const digest = createHash('sha256')
    .update(JSON.stringify(resolved) + code.join(''))
    .digest('hex');
  const document: DesignDocument = {
    schema: 'switchover.sweep/1',
    version,
    name: scenario.name,
    world,
    design: { compare: scenario.compare ?? null, sweep: scenario.sweep ?? null, set },
    seed,
    cells,
    runs: { least: runs, most: runsMax(design) },
    text: scenario.text,
    digest,
    file: scenario.file,
    command: wholeCommandOf('sweep', { file: scenario.file, world, set }),
  };
  // As it will be read: without what JSON does not know.
  return JSON.parse(JSON.stringify(document));
}

/** @throws UsageError there can be no such folder, or nothing can be written there. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    refuse('--out', WRITABLE, `${folder} (${reasonOf(cause)})`);
  }
}

const WRITABLE = 'a folder that can be written';

/**
 * Makes the folder this sweep's, or finds that it is: the same design by the same version of the program.
 * @returns the design as whoever began it wrote it down
 * @throws UsageError it is another sweep's
 */
export function claimFolder(folder: string, design: Design): DesignDocument {
  const mine = documentOf(design);
  const file = join(folder, DESIGN_FILE);
  const found = readDocument(file);
  if (!found) {
    const [stray] = resultFiles(folder);
    if (stray) refuse('--out', `${DESIGN_FILE} beside records`, `${stray} without it`);
    writeWhole(file, (unfinished) => writeFileSync(unfinished, `${JSON.stringify(mine, null, 2)}\n`));
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
 * First under another name, its own if shards begin at once: an interruption must not leave half of it.
 * @throws Failure it cannot be written; nothing is left of it then
 */
export function writeWhole(file: string, write: (unfinished: string) => void): void {
  const unfinished = `${file}.${process.pid}`;
  try {
    write(unfinished);
    renameSync(unfinished, file);
  } catch (cause) {
    rmSync(unfinished, { force: true });
    throw new Failure(`cannot write ${file}: ${reasonOf(cause)}`);
  }
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
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    refuse(file, 'a design that can be read', reasonOf(cause));
  }
  try {
    const document = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return document;
  } catch {}
  return refuse(file, 'a design', shown(text));
}

function refuse(path: string, expected: string, found: string): never {
  throw new UsageError([{ path, expected, found }]);
}
