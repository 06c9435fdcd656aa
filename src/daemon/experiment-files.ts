import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inputLimits } from '../core/input-limits.ts';
import { orFailure, reasonOf } from '../platform/failure.ts';
import { parseJson } from '../platform/json.ts';
import { linesOf } from '../platform/lines.ts';
import { makeFolders } from '../platform/paths.ts';
import { readText } from '../platform/text-file.ts';
import { recordsFile } from './records-file.ts';
import { type ExperimentView, experimentView } from './view-schemas.ts';

/** A file is called by the number of its experiment (RFC 9562). */
const FILE = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:ndjson|json(?:\.part)?)$/;

/** Experiments on disk: what each came to, as the API shows it, and beside that its records. */
export class ExperimentFiles {
  readonly #folder: string;

  /** @throws Failure the folder cannot be made */
  constructor(folder: string) {
    this.#folder = folder;
    makeFolders(folder);
  }

  /**
   * Those of the process before this one, the oldest first. Of one that it had not ended, the records so far are there.
   * Records of which nobody knows the experiment are removed.
   * @param remark told what could not be read
   */
  past(remark: (line: string) => void): readonly ExperimentView[] {
    const ids = new Set(readdirSync(this.#folder).flatMap((name) => FILE.exec(name)?.[1] ?? []));
    const views: ExperimentView[] = [];
    for (const id of ids) {
      try {
        views.push(this.#ended(experimentView.parse(parseJson(readText(this.#viewFile(id)), id))));
      } catch (cause) {
        remark(`experiment ${id} cannot be read, and is removed: ${reasonOf(cause)}`);
        this.remove(id);
      }
    }
    return views.sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
  }

  /**
   * It outlives this process, not a power cut: nobody is kept waiting for the disk.
   * @throws Failure it cannot be written; what was there before is still there then
   */
  keep(view: ExperimentView): void {
    const file = this.#viewFile(view.id);
    const partial = `${file}.part`;
    orFailure(`cannot write ${file}`, () => {
      writeFileSync(partial, Buffer.from(JSON.stringify(view)));
      renameSync(partial, file);
    });
  }

  remove(id: string): void {
    const view = this.#viewFile(id);
    for (const file of [view, `${view}.part`, this.records(id)]) rmSync(file, { force: true });
  }

  records(id: string): string {
    return recordsFile(this.#folder, id);
  }

  #viewFile(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  #ended(view: ExperimentView): ExperimentView {
    if (view.endedAt !== null) return view;
    const done = countLines(this.records(view.id));
    const why = `this daemon ended meanwhile; the records of ${done} runs are there`;
    const runs = { ...view.runs, done };
    // When it last wrote something; when it ended, nobody has seen.
    const { mtime } = statSync(this.records(view.id), { throwIfNoEntry: false }) ?? {};
    const endedAt = mtime?.toISOString() ?? view.createdAt;
    return { ...view, state: 'failed', why, endedAt, runs, progress: null };
  }
}

/** A last line that was cut short is none. */
function countLines(file: string): number {
  try {
    let count = 0;
    for (const { endsAt } of linesOf(file, inputLimits.recordLineBytes)) if (endsAt !== undefined) count += 1;
    return count;
  } catch {
    // There is no such file before the first record.
    return 0;
  }
}
