import { randomInt } from 'node:crypto';
import type { Outage } from '../../core/migration/migration-result.ts';
import { ViewerThread } from '../../observe/viewer/viewer-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { SenderThread } from '../../transport/sender-thread.ts';
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
  readonly heartbeats: HeartbeatAddress;
  readonly #viewer: ViewerThread;
  readonly #guest: GuestSpec;

  private constructor(
    machine: ScriptMachine,
    heartbeats: HeartbeatAddress,
    viewer: ViewerThread,
    guest: GuestSpec,
  ) {
    this.machine = machine;
    this.heartbeats = heartbeats;
    this.#viewer = viewer;
    this.#guest = guest;
  }

  static async boot({ guest }: MigrationSpec, place: VmGuestPlace): Promise<ScriptGuest> {
    const token = randomInt(2 ** 32);
    const viewer = await ViewerThread.listen(
      { host: VIEWER_HOST, token, periodNs: guest.heartbeatPeriodNs },
      'worlds/vm/console-viewer-worker',
    );
    try {
      const heartbeats = { host: VIEWER_HOST, port: viewer.port, token };
      const machine = await ScriptMachine.create(guest, { ...place, heartbeats, role: 'new guest' });
      return new ScriptGuest(machine, heartbeats, viewer, guest);
    } catch (cause) {
      await viewer.end();
      throw cause;
    }
  }

  watchGaps(): void {
    this.#viewer.watchGaps();
  }

  /** When the copy runs, the guest has ended, and the client does not listen to the copy. */
  completed(sender: SenderThread): Promise<Completion> {
    return retireAndCompare({
      heartbeatPeriodNs: this.#guest.heartbeatPeriodNs,
      viewer: this.#viewer,
      retire: async () => (await sender.ask('retire')).result,
      replay: (steps, ranOnMs) => {
        this.#viewer.forgetSource();
        return this.machine.replay(steps, ranOnMs);
      },
    });
  }

  outage(): Promise<Outage | null> {
    return this.#viewer.outage(0);
  }

  async end(): Promise<void> {
    await this.#viewer.end();
    await this.machine.end();
  }
}
