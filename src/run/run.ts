import { setTimeout as sleep } from 'node:timers/promises';
import { changeCapacity } from '../core/link/ledger.ts';
import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { Refusal } from '../platform/failure.ts';
import type { LinkShare } from '../scenario/fleet.ts';
import { type Experiment, type Scenario, seeded } from '../scenario/scenario.ts';
import type { Cell } from '../scenario/settings.ts';
import type { DestinationThere } from '../transport/address.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { World } from '../worlds/world.ts';
import { type WorldFactory, type WorldName, worldFactory } from '../worlds/worlds.ts';
import { drive, type StepListener } from './drive.ts';
import { type EndedMigration, traceOf } from './ended-migration.ts';
import { type Ensemble, virtualEnsemble } from './ensemble.ts';
import { type LedgerStore, memoryStore } from './lease-client.ts';
import { predictedOf } from './predict.ts';
import { type Occasion, recordOf } from './run-record.ts';
import { SharedLinkWorld } from './shared-link.ts';
import type { TraceLine } from './trace.ts';
import { virtualFleet } from './virtual-fleet.ts';

export interface RunOptions {
  readonly world: WorldName;
  readonly to?: DestinationThere | undefined;
  /** The folder where the source keeps journals of its migrations (world threads); without it, none. */
  readonly journals?: string | undefined;
  /** How to keep reservations that the kernel refuses. */
  readonly fallback?: 'cooperative' | undefined;
  /** Whether to say, too, what measured cells come to in virtual time; that takes up to two seconds a cell. */
  readonly ensembles?: boolean;
  /** Where the ledgers of links are kept that other processes use too. */
  readonly redis?: string | undefined;
  /** Ends what goes on in real time: its records say `cancelled` and why, and nothing further is begun. */
  readonly interrupted?: AbortSignal | undefined;
  readonly listener?: RunListener;
}

/** Told what happens while it happens. */
export interface RunListener {
  /** @returns who is told every step of this migration as it is carried out, where time passes */
  starts?(run: { readonly cell: Cell; readonly run: number; readonly seed: number }): StepListener;
  traced?(line: TraceLine): void;
  /** The record; and the migration that it is of, whose world is still there during the call. */
  ended?(record: MigrationRecord, migration: EndedMigration): void;
}

/** All records of one cell, and what the model and the virtual world said of it beforehand. */
export interface CellResult {
  readonly cell: Cell;
  readonly scenario: Scenario;
  readonly predicted: RunMetadata['predicted'];
  /** Of a measured cell: what it comes to in virtual time. */
  readonly ensemble: Ensemble | undefined;
  readonly records: readonly MigrationRecord[];
}

/** One migration of a run. */
interface Migration {
  readonly setup: MigrationSpec;
  readonly share: LinkShare | null;
  readonly listener: StepListener | undefined;
  ended(how: EndedMigration): void;
}

/**
 * Runs every cell of an experiment as often as it says. Repetition r has the same seed in every cell, so cells
 * are compared under common random numbers; and all cells run before any is repeated, so that a slow drift of
 * the machine does not favour one. Of guests that share a link each has a seed of its own.
 * @throws Failure the world is not to be had, or a destination refused
 */
export async function run(experiment: Experiment, options: RunOptions): Promise<readonly CellResult[]> {
  const { name, seed: firstSeed } = experiment;
  const { world, listener = {}, ensembles = world !== 'virtual' } = options;
  const results = experiment.cells.map(({ cell, scenario, together }) => ({
    cell,
    scenario,
    together,
    predicted: predictedOf(scenario),
    ensemble: ensembles ? virtualEnsemble(scenario, firstSeed) : undefined,
    records: [] as MigrationRecord[],
  }));
  const factory = await worldFactory(world, options);
  const goesOn = () => options.interrupted?.aborted !== true;
  try {
    for (let repetition = 0; repetition < experiment.runs && goesOn(); repetition++) {
      for (const group of grouped(results)) {
        if (!goesOn()) break;
        const migrations = group.map(({ cell, scenario, predicted, records }, index): Migration => {
          const seed = firstSeed + repetition * group.length + index;
          return {
            setup: seeded(scenario, seed),
            share: scenario.share,
            listener: listener.starts?.({ cell, run: repetition + 1, seed }),
            ended(how) {
              if (listener.traced) for (const line of traceOf(how)) listener.traced(line);
              const record = recordOfEnded(how, { world, scenario: name, predicted });
              records.push(record);
              listener.ended?.(record, how);
            },
          };
        });
        await carryOutTogether(migrations, options, factory);
      }
    }
  } finally {
    await factory.close();
  }
  return results;
}

/**
 * One migration that shares its link with no other.
 * @throws Failure the world is not to be had, or a destination refused
 */
export async function migration(
  name: string,
  { scenario, predicted }: Pick<CellResult, 'scenario' | 'predicted'>,
  seed: number,
  options: RunOptions,
  factory: WorldFactory,
): Promise<MigrationRecord> {
  let record: MigrationRecord | undefined;
  const ended = (how: EndedMigration) => {
    record = recordOfEnded(how, { world: options.world, scenario: name, predicted });
  };
  const alone = { setup: seeded(scenario, seed), share: null, listener: undefined, ended };
  await carryOutTogether([alone], options, factory);
  return record!;
}

function recordOfEnded(
  { setup, course, world, admission, notes }: EndedMigration,
  occasion: Pick<Occasion, 'world' | 'scenario' | 'predicted'>,
): MigrationRecord {
  return recordOf({ ...occasion, startedAt: world.startedAt, admission }, setup, {
    ...course,
    notes: [...notes, ...course.notes],
  });
}

/** Neighbours that run together. */
function grouped<Result extends { readonly together: number }>(results: readonly Result[]): Result[][] {
  const groups: Result[][] = [];
  for (const result of results) {
    const last = groups.at(-1);
    if (last?.[0]?.together === result.together) last.push(result);
    else groups.push([result]);
  }
  return groups;
}

/** The migrations that share a link, or the one that has a link of its own. */
async function carryOutTogether(
  migrations: readonly Migration[],
  options: RunOptions,
  factory: WorldFactory,
): Promise<void> {
  const { share } = migrations[0]!;
  if (share && options.world === 'qemu-native') {
    throw new Refusal(
      'link.capacity: QEMU sends by itself in the world qemu-native; take vm to share a link',
    );
  }
  if (share && options.world === 'virtual') {
    const members = migrations.map(({ setup, share }) => ({ setup, share: share! }));
    for (const [index, went] of virtualFleet(members).entries()) {
      migrations[index]!.ended({ ...went, setup: members[index]!.setup, notes: [] });
    }
    return;
  }
  const made = await Promise.allSettled(
    migrations.map(({ setup }) => admitted(setup, factory, options.fallback)),
  );
  const worlds = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const over = new AbortController();
  let store: LedgerStore | undefined;
  try {
    throwFirst(made);
    store = share ? await storeOf(share, options) : undefined;
    const signal = AbortSignal.any([over.signal, ...(options.interrupted ? [options.interrupted] : [])]);
    const after = (ns: number) => sleep(ns / NANOS_PER_MILLISECOND, undefined, { signal });
    if (store && share) void changeInTime(store, share, after).catch(() => {});
    throwFirst(
      await Promise.allSettled(
        migrations.map(async (migration, index) => {
          // Whoever is interrupted before that begins at once, and is cancelled.
          await after(migration.share?.atNs ?? 0).catch(() => {});
          await carryOut(migration, worlds[index]!, store, options.interrupted);
        }),
      ),
    );
  } finally {
    over.abort();
    await Promise.all(worlds.map(({ world }) => world.close()));
    await store?.close();
  }
}

/** Everybody has come to an end by now. */
function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function storeOf(share: LinkShare, { redis }: RunOptions): Promise<LedgerStore> {
  const { link, capacityBytesPerSecond, changes } = share;
  if (redis === undefined) return memoryStore(capacityBytesPerSecond);
  if (changes.length > 0) throw new Refusal('link.changes: not with --redis, where others use the link too');
  const { redisStore } = await import('./redis-store.ts');
  return redisStore(redis, link, capacityBytesPerSecond);
}

/** Changes the link's capacity when the scenario says so. */
async function changeInTime(
  store: LedgerStore,
  { changes }: LinkShare,
  after: (ns: number) => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    changes.map(async ({ atNs, capacityBytesPerSecond }) => {
      await after(atNs);
      await store.update((ledger, now) => changeCapacity(ledger, capacityBytesPerSecond, now));
    }),
  );
}

async function carryOut(
  { share, listener, ended }: Migration,
  { world: own, setup, notes }: Admitted,
  store: LedgerStore | undefined,
  interrupted: AbortSignal | undefined,
): Promise<void> {
  const shared = store && share ? new SharedLinkWorld(own, setup, share, store) : undefined;
  const world = shared ?? own;
  const cancel = () => void world.cancel?.(String(interrupted!.reason));
  if (interrupted?.aborted) cancel();
  interrupted?.addEventListener('abort', cancel);
  try {
    const steps: EndedMigration['steps'][number][] = [];
    const course = await drive(setup.plan, world, (step, seen) => {
      steps.push({ step, seen });
      listener?.(step, seen);
    });
    ended({ setup, course, steps, world, admission: shared?.admission ?? null, notes });
  } finally {
    interrupted?.removeEventListener('abort', cancel);
    await shared?.leave();
  }
}

interface Admitted {
  readonly world: World;
  readonly setup: MigrationSpec;
  readonly notes: readonly string[];
}

/**
 * The world, once all reservations are made. If the kernel refuses them they are kept cooperatively, where that is
 * asked for, and the record says so.
 * @throws Refusal a reservation cannot be had
 */
async function admitted(
  setup: MigrationSpec,
  factory: WorldFactory,
  fallback: RunOptions['fallback'],
): Promise<Admitted> {
  try {
    return { world: await factory.create(setup), setup, notes: [] };
  } catch (cause) {
    if (!(cause instanceof Refusal) || !fallback || setup.cpu.scheduler !== 'deadline') throw cause;
    const instead = { ...setup, cpu: { ...setup.cpu, scheduler: 'cbs-hard' as const, reclaim: false } };
    const note = `kept cooperatively, not by the kernel as asked for: ${cause.message}`;
    return { world: await factory.create(instead), setup: instead, notes: [note] };
  }
}
