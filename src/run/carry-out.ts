import { setTimeout as sleep } from 'node:timers/promises';
import { changeCapacity } from '../core/link/ledger.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { Refusal } from '../platform/failure.ts';
import type { LinkShare } from '../scenario/fleet.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { World } from '../worlds/world.ts';
import type { WorldFactory, WorldName } from '../worlds/worlds.ts';
import { drive, type StepListener } from './drive.ts';
import type { LedgerStore } from './lease-client.ts';
import { memoryStore } from './memory-store.ts';
import type { MigrationRun } from './migration-run.ts';
import { SharedLinkWorld } from './shared-link.ts';
import { type FleetMember, virtualFleet } from './virtual-fleet.ts';

export interface CarryOutOptions {
  readonly world: WorldName;
  /** How to keep reservations that the kernel refuses. */
  readonly fallback?: 'cooperative' | undefined;
  /** Where the ledgers of links are kept that other processes use too. */
  readonly redis?: string | undefined;
  /** Ends what goes on in real time: its records say `cancelled` and why, and nothing further is begun. */
  readonly interrupted?: AbortSignal | undefined;
}

/** Told how the migrations of a fleet go, each by its place in it. */
export interface FleetListener {
  /** Every step as it is carried out, where time passes. */
  stepped?(member: number, step: Step, result: StepResult): void;
  /** One has ended; its world is still there during the call. */
  ended?(member: number, run: MigrationRun): void;
}

/**
 * Carries out the migrations that share a link, all at the same time, or the one that has a link of its own.
 * @throws Refusal a reservation cannot be had, or the world cannot share a link
 */
export async function carryOut(
  fleet: readonly FleetMember[],
  factory: WorldFactory,
  options: CarryOutOptions,
  listener: FleetListener = {},
): Promise<readonly MigrationRun[]> {
  const { interrupted } = options;
  const { share } = fleet[0]!;
  if (share && options.world === 'qemu-native') {
    throw new Refusal(
      'link.capacity: world qemu-native cannot share a link, because QEMU sends by itself; use --world vm',
    );
  }
  if (share && options.world === 'virtual') {
    const runs = virtualFleet(fleet);
    for (const [member, run] of runs.entries()) listener.ended?.(member, run);
    return runs;
  }
  const opened: World[] = [];
  const over = new AbortController();
  let store: LedgerStore | undefined;
  try {
    const admittances = await allOf(
      fleet.map(async ({ spec }) => {
        const admittance = await admitted(spec, factory, options.fallback);
        opened.push(admittance.world);
        return admittance;
      }),
    );
    store = share ? await storeOf(share, options) : undefined;
    const signal = AbortSignal.any([over.signal, ...(interrupted ? [interrupted] : [])]);
    const after = (ns: Nanos) => sleep(ns / NANOS_PER_MILLISECOND, undefined, { signal });
    if (store && share) void changeInTime(store, share, after).catch(() => {});
    return await allOf(
      fleet.map(async ({ share }, member) => {
        // Whoever is interrupted before that begins at once, and is cancelled.
        await after(share?.atNs ?? 0).catch(() => {});
        const { spec, world, notes } = admittances[member]!;
        const shared = store && share ? new SharedLinkWorld(world, spec, share, store) : undefined;
        try {
          const stepped: StepListener = (step, result) => listener.stepped?.(member, step, result);
          const went = await carryOutOne(spec, shared ?? world, stepped, interrupted);
          const run = { spec, world, notes, ...went, admission: shared?.admission ?? null };
          listener.ended?.(member, run);
          return run;
        } finally {
          await shared?.leave();
        }
      }),
    );
  } finally {
    over.abort();
    await Promise.all(opened.map((world) => world.close()));
    await store?.close();
  }
}

async function carryOutOne(
  { plan }: MigrationSpec,
  world: World,
  stepped: StepListener,
  interrupted: AbortSignal | undefined,
): Promise<Pick<MigrationRun, 'result' | 'steps'>> {
  const cancel = () => void world.cancel?.(String(interrupted!.reason));
  if (interrupted?.aborted) cancel();
  interrupted?.addEventListener('abort', cancel);
  try {
    const steps: MigrationRun['steps'][number][] = [];
    const result = await drive(plan, world, (step, result) => {
      steps.push({ step, result });
      stepped(step, result);
    });
    return { result, steps };
  } finally {
    interrupted?.removeEventListener('abort', cancel);
  }
}

/** Once everybody has come to an end. @throws what the first of those that failed has thrown */
async function allOf<Value>(promises: readonly Promise<Value>[]): Promise<readonly Value[]> {
  const results = await Promise.allSettled(promises);
  return results.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/**
 * The world, once all reservations are made. If the kernel refuses them they are kept cooperatively, where that is
 * asked for, and the record says so.
 * @throws Refusal a reservation cannot be had
 */
async function admitted(
  spec: MigrationSpec,
  factory: WorldFactory,
  fallback: CarryOutOptions['fallback'],
): Promise<Pick<MigrationRun, 'spec' | 'notes'> & { readonly world: World }> {
  try {
    return { world: await factory.create(spec), spec, notes: [] };
  } catch (cause) {
    if (!(cause instanceof Refusal) || !fallback || spec.cpu.scheduler !== 'deadline') throw cause;
    const instead = { ...spec, cpu: { ...spec.cpu, scheduler: 'cbs-hard' as const, reclaim: false } };
    const note = `kept cooperatively, not by the kernel as asked for: ${cause.message}`;
    return { world: await factory.create(instead), spec: instead, notes: [note] };
  }
}

async function storeOf(share: LinkShare, { redis }: CarryOutOptions): Promise<LedgerStore> {
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
  after: (ns: Nanos) => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    changes.map(async ({ atNs, capacityBytesPerSecond }) => {
      await after(atNs);
      await store.update((ledger, now) => changeCapacity(ledger, capacityBytesPerSecond, now));
    }),
  );
}
