import { isDeepStrictEqual } from 'node:util';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import { PageSet } from '../core/migration/pages.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import { Failure } from '../platform/failure.ts';
import { driveSync } from './drive.ts';

/**
 * A trace: everything that passed between a migration and its world, as NDJSON. Per migration a line with the
 * plan, one line for each step with its result (`seen`), and a line with the migration's own (`course`). Since the
 * migration is a pure function of plan and step results, every trace of a real run is a test of the code.
 */
export type TraceLine =
  | { readonly plan: Plan }
  | { readonly step: Step; readonly seen: StepResult }
  | { readonly course: MigrationResult };

const arrays = Object.entries({ uint8: Uint8Array, uint32: Uint32Array, float64: Float64Array });

/** Page sets and typed arrays travel as base64 of their little-endian bytes. */
export function encodeTraceLine(line: TraceLine): string {
  return JSON.stringify(line, (_, value) => {
    if (value instanceof PageSet) return { pageSet: base64(value.words), pages: value.pages };
    for (const [name, Kind] of arrays) {
      if (value instanceof Kind) return { [name]: base64(value) };
    }
    return value;
  });
}

/** @throws Failure not a line of a trace. */
export function decodeTraceLine(text: string, where: string): TraceLine {
  const line = parsed(text);
  if (isTraceLine(line)) return line;
  throw new Failure(`${where}: not a line of a trace`);
}

function isTraceLine(line: unknown): line is TraceLine {
  if (typeof line !== 'object' || line === null) return false;
  return 'plan' in line || 'course' in line || ('step' in line && 'seen' in line);
}

/** `undefined`: not JSON, or not what it says it is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => {
      if (typeof value?.pageSet === 'string') {
        return new PageSet(value.pages, new Uint32Array(bytesOf(value.pageSet)));
      }
      for (const [name, Kind] of arrays) {
        if (typeof value?.[name] === 'string') return new Kind(bytesOf(value[name]));
      }
      if (['witness', 'standsSince', 'lookNs'].some((key) => key in Object(value))) return named(value);
      return value;
    });
  } catch {
    return undefined;
  }
}

/** Version 0.1 had other names for some properties; its traces can be replayed until version 0.3. */
function named(value: object): object {
  const { witness, standsSince, ...rest } = value as Record<string, unknown>;
  return {
    ...('lookNs' in rest && { dirtyScanNs: rest.lookNs }),
    ...rest,
    ...(witness !== undefined && { measurements: witness }),
    ...(standsSince !== undefined && { pausedSince: standsSince }),
  };
}

/** What came of replaying one migration of a trace. */
export interface Replay {
  readonly steps: number;
  readonly result: MigrationResult | undefined;
  /** The first difference between then and now, if there is one. */
  readonly difference: string | undefined;
}

/** Gives a fresh migration the recorded results of its steps: does it ask for the same, and come to the same? */
export function replay([first, ...lines]: readonly TraceLine[]): Replay {
  if (!first || !('plan' in first)) throw new Failure('a trace begins with a plan');
  let steps = 0;
  const nextLine = () => {
    const line = lines[steps];
    if (line === undefined || 'plan' in line) {
      throw new Difference('the trace ends before the migration does');
    }
    return line;
  };
  const carryOut = (step: Step): StepResult => {
    const line = nextLine();
    if ('course' in line) throw new Difference(ANOTHER_RESULT);
    if (!isDeepStrictEqual(step, line.step)) {
      throw new Difference(`step ${steps + 1} was '${line.step.kind}', now '${step.kind}'`);
    }
    steps += 1;
    return line.seen;
  };
  try {
    const result = driveSync(first.plan, { carryOut });
    const line = nextLine();
    if ('step' in line) throw new Difference(`step ${steps + 1} was '${line.step.kind}', now the end`);
    const isSame = isDeepStrictEqual(result, line.course);
    return { steps, result, difference: isSame ? undefined : ANOTHER_RESULT };
  } catch (cause) {
    if (!(cause instanceof Difference)) throw cause;
    return { steps, result: undefined, difference: cause.message };
  }
}

const ANOTHER_RESULT = 'the result differs';

/** Between what was recorded and what happens now. */
class Difference extends Error {}

/** The migrations of a trace, each with its own lines. */
export function migrationsOf(lines: readonly TraceLine[]): readonly (readonly TraceLine[])[] {
  const migrations: TraceLine[][] = [];
  for (const line of lines) {
    if ('plan' in line || migrations.length === 0) migrations.push([]);
    migrations.at(-1)!.push(line);
  }
  return migrations;
}

function base64(array: Uint8Array | Uint32Array | Float64Array): string {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
}

function bytesOf(text: string): ArrayBuffer {
  const bytes = Buffer.from(text, 'base64');
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
}
