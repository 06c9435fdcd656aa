import { isDeepStrictEqual } from 'node:util';
import { InvariantViolated } from '../core/invariants.ts';
import { DirtyCount } from '../core/migration/asked/dirty-count.ts';
import { LumpedBatch, LumpedPages } from '../core/migration/lumped/lumped-pages.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import { PageSet } from '../core/migration/pages.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import { Failure } from '../platform/failure.ts';
import { insistOnShape } from '../platform/json.ts';
import { driveSync } from './drive.ts';
import { type TraceLine, wrongInLine } from './trace-schema.ts';

/**
 * A trace: everything that passed between a migration and its world, as NDJSON. Per migration a line with the
 * plan, one line for each step with its result (`seen`), and a line with the migration's own (`course`). Since the
 * migration is a pure function of plan and step results, every trace of a real run is a test of the code.
 */
export type { TraceLine };

const arrays = Object.entries({ uint8: Uint8Array, uint32: Uint32Array, float64: Float64Array });

/** Page sets and typed arrays travel as base64 of their little-endian bytes. */
export function encodeTraceLine(line: TraceLine): string {
  return JSON.stringify(line, (_, value) => {
    if (value instanceof PageSet) return { pageSet: base64(value.words), pages: value.pages };
    if (value instanceof DirtyCount) return { dirtyCount: value.dirtyPages };
    if (value instanceof LumpedPages) return { lumpedPages: { ...value } };
    if (value instanceof LumpedBatch) return { lumpedBatch: { ...value } };
    for (const [name, Kind] of arrays) {
      if (value instanceof Kind) return { [name]: base64(value) };
    }
    return value;
  });
}

/** @throws Failure not a line of a trace. @throws TooLarge */
export function decodeTraceLine(text: string, where: string): TraceLine {
  insistOnShape(text, where);
  const line = parsed(text);
  const wrong = line === undefined ? 'not JSON, or not what it says it is' : wrongInLine(line);
  if (wrong === undefined) return line as TraceLine;
  throw new Failure(`${where}: not a line of a trace: ${wrong}`);
}

/** `undefined`: not JSON, or not what it says it is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => {
      if (typeof value?.pageSet === 'string') {
        return new PageSet(value.pages, new Uint32Array(bytesOf(value.pageSet)));
      }
      if (typeof value?.dirtyCount === 'number') return new DirtyCount(value.dirtyCount);
      if (value?.lumpedPages) {
        const { strata, owed, dirtyAgain, dirty } = value.lumpedPages;
        return new LumpedPages(strata, owed, dirtyAgain, dirty);
      }
      if (value?.lumpedBatch) {
        const { shares, slicePages, seed } = value.lumpedBatch;
        return new LumpedBatch(shares, slicePages ?? Number.POSITIVE_INFINITY, seed);
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

/**
 * Version 0.1 had other names for some properties, and up to 0.2 a downtime had no part of devices; their traces can be
 * replayed until version 0.3.
 */
function named(value: object): object {
  const { witness, standsSince, ...rest } = value as Record<string, unknown>;
  return {
    ...('lookNs' in rest && { dirtyScanNs: rest.lookNs, deviceNs: 0 }),
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

/**
 * Gives a fresh migration the recorded results of its steps: does it ask for the same, and come to the same?
 * @param lines of one migration, read as far as they are needed
 */
export function replay(lines: Iterable<TraceLine>): Replay {
  const left = lines[Symbol.iterator]();
  const first: TraceLine | undefined = left.next().value;
  if (!first || !('plan' in first)) throw new Failure('a trace begins with a plan');
  let steps = 0;
  const nextLine = () => {
    const line: TraceLine | undefined = left.next().value;
    if (line === undefined || 'plan' in line) {
      throw new Difference('the trace ends before the migration does');
    }
    return line;
  };
  const carryOut = (step: Step): StepResult => {
    const line = nextLine();
    if ('course' in line) throw new Difference(ANOTHER_RESULT);
    if (!isDeepStrictEqual(step, asAskedToday(line.step, step))) {
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
    if (cause instanceof InvariantViolated) {
      return { steps, result: undefined, difference: `step ${steps}: ${cause.message}` };
    }
    if (!(cause instanceof Difference)) throw cause;
    return { steps, result: undefined, difference: cause.message };
  }
}

/** Up to version 0.1 every window was asked for by itself: such traces can be replayed until version 0.3. */
function asAskedToday(recorded: Step, today: Step): Step {
  if (recorded.kind !== 'observe' || today.kind !== 'observe' || 'windows' in recorded) return recorded;
  return { ...(recorded as Step & { kind: 'observe' }), windows: today.windows };
}

const ANOTHER_RESULT = 'the result differs';

/** Between what was recorded and what happens now. */
class Difference extends Error {}

/** The migrations of a trace, each with its own lines, which must be read before the next one is asked for. */
export function* migrationsOf(lines: Iterable<TraceLine>): Generator<Iterable<TraceLine>> {
  const all = lines[Symbol.iterator]();
  let next = all.next();
  function* own(): Generator<TraceLine> {
    do {
      yield next.value;
      next = all.next();
    } while (!next.done && !('plan' in next.value));
  }
  while (!next.done) {
    const migration = own();
    yield migration;
    // What a replay that ended early has left of it.
    for (const _ of migration);
  }
}

function base64(array: Uint8Array | Uint32Array | Float64Array): string {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
}

function bytesOf(text: string): ArrayBuffer {
  const bytes = Buffer.from(text, 'base64');
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
}
