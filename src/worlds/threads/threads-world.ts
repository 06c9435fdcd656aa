import { randomUUID } from 'node:crypto';
import { schedEntities } from '../../core/cpu/cpu-plan.ts';
import type { Outage } from '../../core/migration/migration-result.ts';
import { ViewerThread } from '../../observe/viewer/viewer-thread.ts';
import { sleepNs } from '../../platform/timer.ts';
import { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import { Antagonists } from '../../workload/antagonists/antagonists.ts';
import { latenessMeanNs } from '../../workload/antagonists/disturbance.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { OutgoingMigration } from '../outgoing/outgoing-migration.ts';
import type { Completion } from '../outgoing/source-guest.ts';
import { phaseNs } from '../phase.ts';
import { retireAndCompare } from '../retirement.ts';
import { GuestInstance } from './guest-instance.ts';
import { ThreadsSourceGuest } from './threads-source-guest.ts';

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
 * @returns the migration; the destination knows of the guest, and the guest runs
 * @throws Failure any of that is not possible; nothing has been left behind
 */
export async function threadsWorld(
  spec: MigrationSpec,
  { to, viewerHost: host, journals }: ThreadsOptions,
): Promise<OutgoingMigration> {
  const { guest, plan, cpu } = spec;
  const parts: { end(): Promise<void> }[] = [];
  try {
    const viewer = await ViewerThread.listen(host, guest.heartbeatPeriodNs);
    parts.push(viewer);
    const processors = await Processors.start({ ...cpu, entities: schedEntities(cpu) });
    parts.push(processors);
    const { heartbeats } = viewer;
    const reservation = cpu.guest && { ...cpu.guest, scheduler: cpu.scheduler };
    const definition = { guest, reservation };
    const instance = await GuestInstance.start({ definition, heartbeats, how: 'boot' }, processors);
    parts.push(instance);
    const antagonists = new Antagonists();
    parts.push(antagonists);
    return await OutgoingMigration.begin(new ViewedGuest(spec, instance, viewer, antagonists), {
      ...{ migration: randomUUID(), plan, journals, parts },
      to: { certifiedHost: to.host, ...(await antagonists.inTheWay(spec, to)) },
    });
  } catch (cause) {
    for (const part of parts.toReversed()) await part.end();
    throw cause;
  }
}

/** The guest of one experiment: its client is a viewer, and it ends with its migration, whosever it is then. */
class ViewedGuest extends ThreadsSourceGuest {
  readonly #spec: MigrationSpec;
  readonly #viewer: ViewerThread;
  readonly #antagonists: Antagonists;

  constructor(spec: MigrationSpec, instance: GuestInstance, viewer: ViewerThread, antagonists: Antagonists) {
    const timerNoiseMeanNs = latenessMeanNs(spec.antagonists ?? []);
    super(instance, { ...spec, processors: instance.processors, timerNoiseMeanNs });
    this.#spec = spec;
    this.#viewer = viewer;
    this.#antagonists = antagonists;
  }

  override async connect(to: DestinationThere, migration: string): Promise<void> {
    await super.connect(to, migration);
    this.#antagonists.start(this.#spec);
    await this.instance.run();
    await sleepNs(phaseNs(this.#spec));
  }

  override async track(): Promise<void> {
    this.#viewer.tell('watchGaps');
    await super.track();
  }

  override completed(): Promise<Completion> {
    const { instance, sender, guest } = this;
    return retireAndCompare({
      heartbeatPeriodNs: guest.heartbeatPeriodNs,
      viewer: this.#viewer,
      retire: async () => (await sender.ask('retire')).result,
      replay: async (steps) => {
        await instance.advance(steps);
        return instance.hash();
      },
    });
  }

  override outage(): Promise<Outage | null> {
    return this.#viewer.call('outage', null);
  }

  override async release(): Promise<void> {}
}
