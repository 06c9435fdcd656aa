import { isDeepStrictEqual } from 'node:util';
import { migrate } from '../core/migration/migrate.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import { PageSet } from '../core/migration/pages.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import { Failure } from '../platform/failure.ts';

/**
 * A trace: everything that passed between a migration and its world, as NDJSON. Per migration a line with the
 * plan, one line for each step with what the world answered, and a line with the course that came of it. Since
 * the migration is a pure function of plan and answers, every trace of a real run is a test of the code.
 */
export type TraceLine =
  | { readonly plan: Plan }
  | { readonly step: Step; readonly seen: StepResult }
  | { readonly course: MigrationResult };

/** Page sets and typed arrays travel as base64 of their little-endian bytes. */
export function encodeTraceLine(line: TraceLine): string {
  return JSON.stringify(line, (_, value) => {
    if (value instanceof PageSet) return { pageSet: base64(value.words), pages: value.pages };
    if (value instanceof Uint32Array) return { uint32: base64(value) };
    if (value instanceof Uint8Array) return { uint8: base64(value) };
    if (value instanceof Float64Array) return { float64: base64(value) };
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
      if (typeof value?.pageSet === 'string') return new PageSet(value.pages, uint32(value.pageSet));
      if (typeof value?.uint32 === 'string') return uint32(value.uint32);
      if (typeof value?.uint8 === 'string') return new Uint8Array(bytesOf(value.uint8));
      if (typeof value?.float64 === 'string') return new Float64Array(bytesOf(value.float64));
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
  readonly course: MigrationResult | undefined;
  /** The first difference between then and now, if there is one. */
  readonly difference: string | undefined;
}

/** Gives a fresh migration the recorded answers: does it ask for the same steps, and come to the same course? */
export function replay(lines: readonly TraceLine[]): Replay {
  const [first, ...rest] = lines;
  if (!first || !('plan' in first)) throw new Failure('a trace begins with a plan');
  const migration = migrate(first.plan);
  let next = migration.next();
  let steps = 0;
  for (const line of rest) {
    if ('plan' in line) break;
    if ('course' in line) {
      const course = next.done ? next.value : undefined;
      const same = isDeepStrictEqual(course, line.course);
      return { steps, course, difference: same ? undefined : 'the course is another one' };
    }
    if (next.done || !isDeepStrictEqual(next.value, line.step)) {
      const now = next.done ? 'the end' : `'${next.value.kind}'`;
      return {
        steps,
        course: undefined,
        difference: `step ${steps + 1} was '${line.step.kind}', now ${now}`,
      };
    }
    steps += 1;
    next = migration.next(line.seen);
  }
  return { steps, course: undefined, difference: 'the trace ends before the migration does' };
}

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

function uint32(text: string): Uint32Array {
  return new Uint32Array(bytesOf(text));
}
