import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CpuPlan, isHog, schedEntities } from '../../core/cpu/cpu-plan.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import type { Ceiling } from '../../core/link/ceiling.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import { ViewerThread } from '../../observe/viewer/viewer-thread.ts';
import { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import { Interruption } from '../../transport/interruption.ts';
import { Antagonists } from '../../workload/antagonists/antagonists.ts';
import { latenessMeanNs } from '../../workload/antagonists/disturbance.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { phaseNs } from '../phase.ts';
import type { World } from '../world.ts';
import { GuestInstance } from './guest-instance.ts';
import { GuestThread } from './guest-thread.ts';
import { retiring } from './migration-hooks.ts';
import { OutgoingMigration } from './outgoing-migration.ts';

/** Where the destination is, and where on this host its guest can reach the viewer. */
export interface ThreadsOptions {
  readonly to: DestinationThere;
  readonly viewerHost: string;
  /** The folder where the source keeps its journal; without it, none is kept. */
  readonly journals?: string | undefined;
}

/**
 * Real memory, real threads, real TCP, as one experiment: a guest is booted, watched by a viewer that listens to its
 * heartbeats throughout, migrated, and in the end retired at its destination and compared with the copy that stayed.
 */
export class ThreadsWorld implements World {
  readonly #outgoing: OutgoingMigration;
  readonly #parts: readonly { end(): Promise<void> }[];

  private constructor(outgoing: OutgoingMigration, parts: readonly { end(): Promise<void> }[]) {
    this.#outgoing = outgoing;
    this.#parts = parts;
  }

  /** Boots the guest, connects to the destination, and lets the guest run. @throws Failure any of that is not possible. */
  static async create(setup: MigrationSpec, options: ThreadsOptions): Promise<ThreadsWorld> {
    const { guest, plan, cpu } = setup;
    const { to, journals, viewerHost: host } = options;
    const token = randomInt(2 ** 32);
    const parts: { end(): Promise<void> }[] = [];
    try {
      const viewer = await ViewerThread.listen({ host, token, periodNs: guest.heartbeatPeriodNs });
      parts.push(viewer);
      const processors = await startCpu(cpu);
      parts.push(processors);
      const heartbeats = { host, port: viewer.port, token };
      const thread = await GuestThread.boot(guest, heartbeats, processors.threadDataOf('guest'));
      const reservation = cpu.guest && { ...cpu.guest, scheduler: cpu.scheduler };
      const instance = new GuestInstance({ guest, heartbeats, reservation }, processors, thread);
      parts.push(instance);
      instance.claim('leaving');
      const hooks = retiring(instance, viewer);
      const interruption = new Interruption();
      const antagonists = new Antagonists();
      parts.push(antagonists);
      const outgoing = await OutgoingMigration.begin({
        ...{ instance, plan, cpu, processors, journals, hooks, interruption },
        to: { ...to, ...(await antagonists.inTheWay(setup, to)) },
        timerNoiseMeanNs: latenessMeanNs(setup.antagonists ?? []),
      });
      antagonists.start(setup);
      parts.push({ end: () => outgoing.close() });
      await instance.run();
      await sleep(phaseNs(setup) / NANOS_PER_MILLISECOND);
      return new ThreadsWorld(outgoing, parts);
    } catch (cause) {
      await end(parts);
      throw cause;
    }
  }

  get startedAt(): string {
    return this.#outgoing.startedAt;
  }

  perform(step: Step): Promise<StepResult> {
    return this.#outgoing.perform(step);
  }

  cancel(why: string): boolean {
    return this.#outgoing.cancel(why);
  }

  allow(ceilings: readonly Ceiling[]): void {
    this.#outgoing.allow(ceilings);
  }

  slices(): readonly Slice[] {
    return this.#outgoing.slices();
  }

  close(): Promise<void> {
    return end(this.#parts);
  }
}

/** The last first: a migration before its guest. */
async function end(parts: readonly { end(): Promise<void> }[]): Promise<void> {
  for (const part of parts.toReversed()) await part.end();
}

/** Whoever competes for the processors but guest and sender, whose threads are ours, is started here. */
function startCpu(plan: CpuPlan): Promise<Processors> {
  const all = schedEntities(plan);
  return Processors.start({
    scheduler: plan.scheduler,
    reclaim: plan.reclaim,
    entities: all.filter((entity) => !isHog(entity)),
    hogs: all.filter(isHog),
  });
}
