import type { StepListener } from '../run/drive.ts';
import type { MigrationRun } from '../run/migration-run.ts';
import type { RunListener } from '../run/run.ts';
import { encodeTraceLine, type TraceLine } from '../run/trace.ts';
import { seeded } from '../scenario/scenario.ts';
import { lineOutput } from './line-output.ts';

type Starting = Parameters<Required<RunListener>['starts']>[0];

/**
 * Writes everything that passes between migrations and their worlds, the lines of each together. In virtual time a line
 * is in the file before the next step. In real time it is written when the migration has ended, since writing would
 * lengthen the pause, and several may go on at the same time.
 */
export class TraceOutput {
  readonly #output;
  readonly #isWritten: boolean;
  readonly #isVirtual: boolean;
  /** What is not written yet of the migrations under way, each of which has a seed of its own. */
  readonly #kept = new Map<number, TraceLine[]>();

  /** @param file undefined: nothing is written. @throws Failure it cannot be written */
  constructor(file: string | undefined, isVirtual: boolean) {
    this.#output = lineOutput(file);
    this.#isWritten = file !== undefined;
    this.#isVirtual = isVirtual;
  }

  /** @returns what is to be told of the migration's steps */
  starts({ cell, seed }: Starting): StepListener | undefined {
    if (!this.#isWritten) return undefined;
    const kept: TraceLine[] = [{ plan: seeded(cell, seed).plan }];
    this.#kept.set(seed, kept);
    return (step, seen) => {
      kept.push({ step, seen });
      if (this.#isVirtual) this.#write(kept);
    };
  }

  /** @throws Failure it cannot be written */
  ended({ spec, result }: MigrationRun): void {
    const kept = this.#kept.get(spec.plan.seed) ?? [];
    this.#kept.delete(spec.plan.seed);
    this.#write([...kept, { course: result }]);
  }

  /** @throws Failure not all lines are on the disk */
  close(): void {
    this.#output.close();
  }

  #write(lines: TraceLine[]): void {
    for (const line of lines.splice(0)) this.#output.write(() => encodeTraceLine(line));
  }
}
