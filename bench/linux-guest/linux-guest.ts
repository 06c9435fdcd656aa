import { setTimeout as sleep } from 'node:timers/promises';
import type { Outage } from '../../src/core/migration/migration-result.ts';
import { formatDuration, type Nanos } from '../../src/core/units.ts';
import { clockNs } from '../../src/platform/clock.ts';
import type { Retired } from '../../src/transport/payloads.ts';
import type { MigrationSpec } from '../../src/workload/migration-spec.ts';
import type { Completion } from '../../src/worlds/outgoing/source-guest.ts';
import type { VmGuest, VmGuestPlace } from '../../src/worlds/vm/vm-guest.ts';
import { Client } from './client.ts';
import type { ClientMeasurements } from './client-main.ts';
import type { ServiceAddress } from './initramfs.ts';
import { type BootFiles, LinuxMachine } from './linux-machine.ts';
import type { Network } from './network.ts';

/** So long its client goes on after the hand-over. */
const AFTERWARDS_MS = 500;

/** What its client’s outage has besides the downtime. */
interface OutageParts {
  /** While the network is moved the guest runs on, but what is sent to it waits at the destination already. */
  readonly networkNs: Nanos;
  /** From its running there to the first answer. */
  readonly answerNs: Nanos;
}

/**
 * A Linux system with a service that a client in its network uses throughout. When it is about to be paused, the network is told
 * where it will run; if it stays, that is taken back.
 */
export class LinuxGuest implements VmGuest {
  readonly machine: LinuxMachine;
  /** Its client measures by the service's answers. */
  readonly heartbeats = null;
  readonly #network: Network;
  readonly #client: Client;
  #measurements: ClientMeasurements | undefined;
  #movedFromNs: Nanos = 0;
  #movedNs: Nanos = 0;
  #runsThereNs: Nanos = 0;

  private constructor(machine: LinuxMachine, network: Network, client: Client) {
    this.machine = machine;
    this.#network = network;
    this.#client = client;
  }

  /** Boots, and returns when the service has answered. @throws Failure it does not; nothing has been left behind. */
  static async boot(
    { guest }: MigrationSpec,
    place: VmGuestPlace,
    files: BootFiles,
    network: Network,
    address: ServiceAddress,
  ): Promise<LinuxGuest> {
    await network.begin();
    const machine = await LinuxMachine.create(guest, files, network.plug('source'), {
      ...place,
      role: 'new guest',
    });
    try {
      await machine.run();
      return new LinuxGuest(machine, network, await Client.start(network.namespace, address));
    } catch (cause) {
      await machine.end();
      throw cause;
    }
  }

  /** What its client saw, once the migration has ended. */
  get measurements(): ClientMeasurements | undefined {
    return this.#measurements;
  }

  get outageParts(): OutageParts {
    return {
      networkNs: this.#movedNs - this.#movedFromNs,
      answerNs: this.#measurements!.longestGap.untilNs - this.#runsThereNs,
    };
  }

  watchGaps(): void {
    this.#client.watchGaps();
  }

  async preparePause(): Promise<void> {
    this.#movedFromNs = clockNs();
    await this.#network.move('destination');
    this.#movedNs = clockNs();
  }

  async completed(retire: () => Promise<Retired>): Promise<Completion> {
    this.#runsThereNs = clockNs();
    await this.#network.close('source');
    await sleep(AFTERWARDS_MS);
    const outage = await this.#outage();
    await retire();
    const { networkNs, answerNs } = this.outageParts;
    const notes = [
      `outage, besides the downtime: switching the network took ${formatDuration(networkNs)} before it; the first answer came ${formatDuration(answerNs)} after it`,
      `client: ${this.#measurements!.writes} writes answered, ${this.#measurements!.failed} failed`,
    ];
    return { outage, continued: 'not-checked', notes };
  }

  async outage(): Promise<Outage | null> {
    await this.#network.move('source');
    await sleep(AFTERWARDS_MS);
    return this.#outage();
  }

  async end(): Promise<void> {
    await this.#client.end();
    await this.machine.end();
  }

  async #outage(): Promise<Outage> {
    this.#measurements = await this.#client.measurements();
    const { writes, lost, repeated, longestGap } = this.#measurements;
    return {
      longestGapNs: longestGap.untilNs - longestGap.fromNs,
      lostHeartbeats: lost,
      repeatedHeartbeats: repeated,
      heartbeats: writes,
      lateHeartbeats: 0,
    };
  }
}
