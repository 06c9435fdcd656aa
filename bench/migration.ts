import { type CpuPlan, freeCpu } from '../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../src/core/migration/migration-result.ts';
import type { Plan } from '../src/core/migration/plan.ts';
import { HEADER_BYTES } from '../src/core/wire/frames.ts';
import { drive } from '../src/run/drive.ts';
import type { DestinationThere } from '../src/transport/address.ts';
import type { ProgramSpec } from '../src/workload/programs.ts';
import { worldFactory } from '../src/worlds/worlds.ts';

/** One migration of a guest in the `threads` world, to `to` or to a process of its own; rate null: unthrottled. */
export async function migrateThreads(
  pages: number,
  program: ProgramSpec,
  rate: number | null,
  change: Partial<Plan> = {},
  cpu: CpuPlan = freeCpu,
  to?: DestinationThere,
): Promise<MigrationResult> {
  const plan: Plan = {
    pages,
    pageBytes: 4096 + HEADER_BYTES,
    order: 'address',
    heat: 'estimated',
    defer: null,
    clear: 'page',
    skip: false,
    timeoutNs: null,
    stopTimeoutNs: 30e9,
    stop: { rule: 'rounds', rounds: 1 },
    rateBytesPerSecond: rate,
    stopRateBytesPerSecond: rate,
    depthBytes: 65_536,
    observeNs: 0,
    windowNs: 40e6,
    halfLifeNs: 8e9,
    verify: 'full',
    seed: 1,
    ...change,
  };
  const guest = {
    name: 'bench',
    pages,
    zeroPages: 0,
    pageSizeBytes: 4096,
    program,
    heartbeatPeriodNs: 10e6,
    cpuPerWriteNs: 0,
    seed: 1,
  };
  const factory = await worldFactory('threads', { to });
  try {
    const world = await factory.create({ guest, plan, cpu });
    try {
      return await drive(plan, world);
    } finally {
      await world.close();
    }
  } finally {
    await factory.close();
  }
}

/** A guest that does nothing but beat. */
export const idle: ProgramSpec = { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] };
