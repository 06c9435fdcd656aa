import type { Outage } from '../../core/migration/migration-result.ts';
import { ViewerThread } from '../../observe/viewer/viewer-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { Retired } from '../../transport/payloads.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import type { Completion } from '../outgoing/source-guest.ts';
import { retireAndCompare } from '../retirement.ts';
import { ScriptMachine } from './script-machine.ts';
import type { VmGuest, VmGuestPlace } from './vm-guest.ts';

const VIEWER_HOST = '127.0.0.1';

/** A guest that replays its script, and a client that listens to its heartbeats. */
export class ScriptGuest implements VmGuest {
  readonly machine: ScriptMachine;
  readonly #viewer: ViewerThread;
  readonly #guest: GuestSpec;

  private constructor(machine: ScriptMachine, viewer: ViewerThread, guest: GuestSpec) {
    this.machine = machine;
    this.#viewer = viewer;
    this.#guest = guest;
  }

  static async boot({ guest }: MigrationSpec, place: VmGuestPlace): Promise<ScriptGuest> {
    const program = 'worlds/vm/console-viewer-worker';
    const viewer = await ViewerThread.listen(VIEWER_HOST, guest.heartbeatPeriodNs, program);
    try {
      const { heartbeats } = viewer;
      const machine = await ScriptMachine.create(guest, { ...place, heartbeats, role: 'new guest' });
      return new ScriptGuest(machine, viewer, guest);
    } catch (cause) {
      await viewer.end();
      throw cause;
    }
  }

  get heartbeats(): HeartbeatAddress {
    return this.#viewer.heartbeats;
  }

  watchGaps(): void {
    this.#viewer.tell('watchGaps');
  }

  /** When the copy runs, the guest has ended, and the client does not listen to the copy. */
  completed(retire: () => Promise<Retired>): Promise<Completion> {
    return retireAndCompare({
      heartbeatPeriodNs: this.#guest.heartbeatPeriodNs,
      viewer: this.#viewer,
      retire,
      replay: (steps, ranOnMs) => {
        this.#viewer.tell('forgetSource');
        return this.machine.replay(steps, ranOnMs);
      },
    });
  }

  outage(): Promise<Outage | null> {
    return this.#viewer.call('outage', null);
  }

  async end(): Promise<void> {
    await this.#viewer.end();
    await this.machine.end();
  }
}
