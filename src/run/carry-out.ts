import { changeCapacity } from '../core/link/ledger.ts';
import type { Nanos } from '../core/units.ts';
import { Refusal } from '../platform/failure.ts';
import { insistOnMemory } from '../platform/memory-room.ts';
import { sleepNs } from '../platform/timer.ts';
import type { LinkShare } from '../scenario/fleet.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { GuestSpec } from '../workload/programs.ts';
import type { World } from '../worlds/world.ts';
import type { WorldName } from '../worlds/world-names.ts';
import type { WorldFactory } from '../worlds/worlds.ts';
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
  /** Cancels what runs in real time: its records say `cancelled` and why. Nothing further is started. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * Carries out the migrations that share a link, all at the same time, or the one that has a link of its own.
 * @param ended told that a migration has ended; its world is still open during the call
 * @throws Refusal a reservation cannot be made, or the world cannot share a link
 */
export async function carryOut(
  fleet: readonly FleetMember[],
  factory: WorldFactory,
  options: CarryOutOptions,
  ended: (member: number, run: MigrationRun) => void = () => {},
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
    for (const [member, run] of runs.entries()) ended(member, run);
    return runs;
  }
  insistOnRoom(
    fleet.map(({ spec }) => spec.guest),
    factory,
  );
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
    const after = (ns: Nanos) => sleepNs(ns, { signal });
    if (store && share) void changeInTime(store, share, after).catch(() => {});
    return await allOf(
      fleet.map(async ({ share, stepped }, member) => {
        // A migration that is interrupted before its start begins at once and is cancelled.
        await after(share?.atNs ?? 0).catch(() => {});
        const { spec, world, notes } = admittances[member]!;
        const shared = store && share ? new SharedLinkWorld(world, spec, share, store) : undefined;
        try {
          const went = await carryOutOne(spec, shared ?? world, stepped, interrupted);
          await shared?.leave();
          const admission = shared?.admission ?? null;
          const run = { spec, world, notes: [...notes, ...(shared?.notes ?? [])], ...went, admission };
          ended(member, run);
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

/** @throws Failure this host has not the memory for all these guests at once */
export function insistOnRoom(
  guests: readonly Pick<GuestSpec, 'pages' | 'pageSizeBytes'>[],
  { copiesOfMemory }: Pick<WorldFactory, 'copiesOfMemory'>,
): void {
  const bytes = guests.reduce((sum, { pages, pageSizeBytes }) => sum + pages * pageSizeBytes, 0);
  if (copiesOfMemory > 0) insistOnMemory(copiesOfMemory * bytes, `${copiesOfMemory} copies of the guests`);
}

async function carryOutOne(
  { plan }: MigrationSpec,
  world: Pick<World, 'perform' | 'migrate' | 'cancel'>,
  stepped: StepListener | undefined,
  interrupted: AbortSignal | undefined,
): Promise<Pick<MigrationRun, 'result' | 'steps'>> {
  const cancel = () => void world.cancel?.(String(interrupted!.reason));
  if (interrupted?.aborted) cancel();
  interrupted?.addEventListener('abort', cancel);
  try {
    const steps: MigrationRun['steps'][number][] = [];
    const result = await drive(plan, world, (step, result) => {
      steps.push({ step, result });
      stepped?.(step, result);
    });
    return { result, steps };
  } finally {
    interrupted?.removeEventListener('abort', cancel);
  }
}

/** Waits until all have ended. @throws the error of the first that failed */
async function allOf<Value>(promises: readonly Promise<Value>[]): Promise<readonly Value[]> {
  const results = await Promise.allSettled(promises);
  return results.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/**
 * The world, once all reservations are made. If the kernel refuses them, and the options say so, the dispatcher keeps
 * them instead, and the record has a note.
 * @throws Refusal a reservation cannot be made
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
    const note = `reservations kept by the dispatcher (--fallback cooperative), because the kernel refused: ${cause.message}`;
    return { world: await factory.create(instead), spec: instead, notes: [note] };
  }
}

async function storeOf(share: LinkShare, { redis }: CarryOutOptions): Promise<LedgerStore> {
  const { link, capacityBytesPerSecond, changes } = share;
  if (redis === undefined) return memoryStore(capacityBytesPerSecond);
  if (changes.length > 0)
    throw new Refusal('link.changes: not possible with --redis, because other processes use the link too');
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
