import { z } from 'zod';
import { shown } from '../../platform/problem.ts';
import { sumOf } from '../statistics/sum.ts';
import { flow } from '../tables/cell-columns.ts';

/**
 * What a report keeps of a record. Records come from files that anybody may have written: what is not as the schema
 * says is refused, and no text of theirs is trusted.
 */
const text = z.string().max(2_000);
const figure = z.number();
const recordSchema = z.looseObject({
  schema: z.literal('switchover.record/1'),
  world: text,
  scenario: text,
  seed: figure,
  outcome: text,
  guest: z.record(text, z.unknown()),
  plan: z.record(text, z.unknown()),
  reservations: z.record(text, z.unknown()),
  antagonists: z.array(z.unknown()).default([]),
  rounds: z.array(z.looseObject({ dirtyPages: figure })),
  downtimeNs: figure,
  downtimeParts: z.looseObject({ memoryNs: figure }),
  totalNs: figure,
  predicted: z.looseObject({ downtimeNs: figure, downtimeP99Ns: figure, totalNs: figure }).nullable(),
  outage: z
    .looseObject({ longestGapNs: figure, heartbeats: figure, lateHeartbeats: figure })
    .nullable()
    .default(null),
  servers: z
    .array(z.looseObject({ missedPeriods: figure, periods: figure, missedByMachine: figure.default(0) }))
    .default([]),
  cell: z.looseObject({ settings: z.record(text, z.unknown()) }).optional(),
});

export interface RecordedRun {
  readonly world: string;
  readonly scenario: string;
  readonly seed: number;
  readonly completed: boolean;
  readonly downtimeNs: number;
  readonly memoryNs: number;
  readonly totalNs: number;
  readonly predicted: { readonly downtimeNs: number; readonly downtimeP99Ns: number } | null;
  readonly gapNs: number | null;
  readonly heartbeats: number;
  readonly lateHeartbeats: number;
  readonly periods: number;
  readonly missedPeriods: number;
  readonly missedByMachine: number;
  readonly dirtyPages: readonly number[];
  /** By what its cell differs from others, if it says so; else everything by which it may. */
  readonly settings: ReadonlyMap<string, string>;
  /** The same, an entry for every number in a setting: what an axis may be made of. */
  readonly axes: ReadonlyMap<string, string>;
}

/** @returns what is wrong with it, if it is no record */
export function recordedRunOf(line: string): RecordedRun | { readonly wrong: string } {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { wrong: `not JSON: ${shown(line)}` };
  }
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return { wrong: `not a switchover.record/1: ${issue.path.map(String).join('.')}: ${issue.message}` };
  }
  const record = parsed.data;
  return {
    world: record.world,
    scenario: record.scenario,
    seed: record.seed,
    completed: record.outcome === 'completed',
    downtimeNs: record.downtimeNs,
    memoryNs: record.downtimeParts.memoryNs,
    totalNs: record.totalNs,
    predicted: record.predicted,
    gapNs: record.outage?.longestGapNs ?? null,
    heartbeats: record.outage?.heartbeats ?? 0,
    lateHeartbeats: record.outage?.lateHeartbeats ?? 0,
    periods: sumOf(record.servers, ({ periods }) => periods),
    missedPeriods: sumOf(record.servers, ({ missedPeriods }) => missedPeriods),
    missedByMachine: sumOf(record.servers, ({ missedByMachine }) => missedByMachine),
    dirtyPages: record.rounds.map(({ dirtyPages }) => dirtyPages),
    ...(record.cell ? fromCell(record.cell.settings) : fromRecord(record)),
  };
}

type Settings = Pick<RecordedRun, 'settings' | 'axes'>;

function fromCell(given: Readonly<Record<string, unknown>>): Settings {
  const axes = new Map<string, string>();
  const entries = Object.entries(given);
  for (const [path, value] of entries) flatten(path, value, axes);
  return { settings: new Map(entries.map(([path, value]) => [path, flow(value)])), axes };
}

function fromRecord(record: z.infer<typeof recordSchema>): Settings {
  const { guest, plan, reservations, antagonists } = record;
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
