import { z } from 'zod';
import { TooLarge } from '../../platform/failure.ts';
import { parseJson } from '../../platform/json.ts';
import { shown } from '../../platform/problem.ts';
import { sumOf } from '../statistics/sum.ts';
import { flow } from '../tables/cell-columns.ts';

/**
 * What a report keeps of a record. Records come from files that anybody may have written: what is not as the schema
 * says is refused, and no text of theirs is trusted.
 */
const text = z.string().max(2_000);
const figure = z.number();
export const environmentSchema = z.object({ version: text, node: text, kernel: text, processor: text });

/** What a record, or a sweep's folder, says of what made it. */
export type RecordedEnvironment = z.infer<typeof environmentSchema>;

/** Not all of them were in records of every version. */
const partFigures = {
  dirtyScanNs: figure.default(0),
  deviceNs: figure.default(0),
  stateNs: figure.default(0),
  verifyNs: figure.default(0),
  commitNs: figure.default(0),
  resumeNs: figure.default(0),
};

const recordSchema = z.looseObject({
  schema: z.literal('switchover.record/1'),
  world: text,
  scenario: text,
  seed: figure,
  startedAt: text.default(''),
  outcome: text,
  guest: z.record(text, z.unknown()),
  plan: z.record(text, z.unknown()),
  reservations: z.record(text, z.unknown()),
  antagonists: z.array(z.unknown()).default([]),
  rounds: z.array(
    z.looseObject({ dirtyPages: figure, bytes: figure.default(0), durationNs: figure.default(0) }),
  ),
  stop: z
    .looseObject({ pages: figure, bytes: figure, durationNs: figure })
    .default({ pages: 0, bytes: 0, durationNs: 0 }),
  downtimeNs: figure,
  downtimeParts: z.object({ ...partFigures, memoryNs: figure }),
  totalNs: figure,
  predicted: z.looseObject({ downtimeNs: figure, downtimeP99Ns: figure, totalNs: figure }).nullable(),
  verified: z.looseObject({ continued: text }).optional(),
  outage: z
    .looseObject({ longestGapNs: figure, heartbeats: figure, lateHeartbeats: figure })
    .nullable()
    .default(null),
  servers: z
    .array(z.looseObject({ missedPeriods: figure, periods: figure, missedByMachine: figure.default(0) }))
    .default([]),
  cell: z
    .looseObject({
      settings: z.record(text, z.unknown()),
      index: figure.optional(),
      command: z.string().max(20_000).optional(),
    })
    .optional(),
  environment: environmentSchema.optional(),
});

/** What a report keeps of a record. */
export type RecordedRun = ReturnType<typeof keptOf>;

/** @returns what is wrong with it, if it is no record */
export function recordedRunOf(line: string): RecordedRun | { readonly wrong: string } {
  let json: unknown;
  try {
    json = parseJson(line, 'a record');
  } catch (cause) {
    return { wrong: cause instanceof TooLarge ? cause.message : `not JSON: ${shown(line)}` };
  }
  const parsed = recordSchema.safeParse(json);
  if (parsed.success) return keptOf(parsed.data);
  const issue = parsed.error.issues[0]!;
  return { wrong: `not a switchover.record/1: ${issue.path.map(String).join('.')}: ${issue.message}` };
}

type CheckedRecord = z.infer<typeof recordSchema>;

function keptOf(record: CheckedRecord) {
  const { world, scenario, seed, downtimeNs, totalNs, predicted, outage, servers } = record;
  // Up to version 0.1 such a migration was called completed.
  const isChanged = record.verified?.continued === 'different';
  return {
    ...{ world, scenario, seed, downtimeNs, totalNs, predicted },
    completed: record.outcome === 'completed' && !isChanged,
    isChanged,
    identity: identityOf(record),
    memoryNs: record.downtimeParts.memoryNs,
    gapNs: outage?.longestGapNs ?? null,
    heartbeats: outage?.heartbeats ?? 0,
    lateHeartbeats: outage?.lateHeartbeats ?? 0,
    periods: sumOf(servers, 'periods'),
    missedPeriods: sumOf(servers, 'missedPeriods'),
    missedByMachine: sumOf(servers, 'missedByMachine'),
    dirtyPages: record.rounds.map(({ dirtyPages }) => dirtyPages),
    /** Of the same rounds; 0: the record does not say. */
    roundBytes: record.rounds.map(({ bytes }) => bytes),
    roundNs: record.rounds.map(({ durationNs }) => durationNs),
    stop: record.stop,
    parts: record.downtimeParts,
    /** Of its cell in a sweep or stress. */
    cellIndex: record.cell?.index,
    /** Carries out the run again, alone. */
    command: record.cell?.command,
    environment: record.environment,
    ...(record.cell ? fromCell(record.cell.settings) : fromRecord(record)),
  };
}

/** Two records with the same are of one run, as where a file was copied, or a run in virtual time was repeated with its seed. */
function identityOf(record: CheckedRecord): string {
  const { world, scenario, seed, startedAt, guest, plan, reservations, antagonists, cell } = record;
  const { outcome, downtimeNs, totalNs } = record;
  const about = [world, scenario, seed, startedAt, guest, plan, reservations, antagonists, cell?.settings];
  return JSON.stringify([...about, outcome, downtimeNs, totalNs]);
}

interface Settings {
  /** The settings in which its cell differs from others, if the record has them; otherwise all that may differ. */
  readonly settings: ReadonlyMap<string, string>;
  /** The same, with an entry for every number in a setting: what can be an axis. */
  readonly axes: ReadonlyMap<string, string>;
}

function fromCell(given: Readonly<Record<string, unknown>>): Settings {
  const axes = new Map<string, string>();
  const entries = Object.entries(given);
  for (const [path, value] of entries) flatten(path, value, axes);
  return { settings: new Map(entries.map(([path, value]) => [path, flow(value)])), axes };
}

function fromRecord({ guest, plan, reservations, antagonists }: CheckedRecord): Settings {
  const axes = new Map<string, string>();
  const { seed: _, ...policy } = plan;
  for (const [path, value] of Object.entries({ guest, plan: policy, ...reservations, antagonists })) {
    flatten(path, value, axes);
  }
  return { settings: axes, axes };
}

const DEEPEST = 6;

/** `{ sender: { budgetNs: 1 } }` → `sender.budgetNs`: `1`. */
function flatten(path: string, value: unknown, into: Map<string, string>, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth === DEEPEST) {
    into.set(path, typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none'));
    return;
  }
  for (const [key, inner] of Object.entries(value)) flatten(`${path}.${key}`, inner, into, depth + 1);
}
